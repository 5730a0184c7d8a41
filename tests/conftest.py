"""What holds for all tests: those that share the lab's hosts are marked, so that they run one after the other."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if uses_lab(item):
            item.add_marker(pytest.mark.lab)


def uses_lab(item: pytest.Item) -> bool:
    """By its fixtures, or as a module's case that asks for a lab host."""
    case = getattr(getattr(item, "callspec", None), "params", {}).get("case")
    return "lab" in getattr(item, "fixturenames", ()) or bool(hasattr(case, "get") and case.get("lab"))
