"""A handful of ansible-core's own integration targets, the quick ones; `make conformance` runs the whole list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import isolate, run, source

QUICK = ("ping", "lookup_dict", "lookup_items", "register", "ignore_errors")


@pytest.mark.xdist_group("conformance")
@pytest.mark.parametrize("target", QUICK)
def test_target_passes(target: str, checkout: Path) -> None:
    assert not (why := isolate.possible()), why
    outcome = isolate.run_target(target, checkout, isolate.Root())
    assert outcome.passed, outcome.log[-3000:]


def test_the_list_and_the_reasons_name_targets(checkout: Path) -> None:
    there = {path.name for path in (checkout / "test" / "integration" / "targets").iterdir()}
    listed = run.names(source.HERE / "targets.txt")
    assert len(listed) > 90
    assert set(listed) <= there
    assert set(run.reasons()) <= set(listed)
