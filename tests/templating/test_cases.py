"""Expressions and conditions as data: what each gives, or a part of its message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from opsplay.errors import OpsError
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.templating.values import compile_plain
from tests.templating.rendering import render

FILES = sorted((Path(__file__).parent / "cases").glob("*.yml"))
CASES = [(path.stem, data["vars"], case) for path in FILES for data in [yaml.safe_load(path.read_text())]
         for case in [*data["cases"], *data["conditions"]]]  # fmt: skip


def scope_with(templar: Templar, values: dict[str, Any]) -> DictScope:
    compiled = compile_plain(values)
    assert isinstance(compiled, dict)
    scope = DictScope(compiled)
    scope.values["vars"] = templar.view(scope)
    return scope


def test_there_are_cases() -> None:
    assert len(CASES) > 230


@pytest.mark.parametrize(
    ("name", "values", "case"), CASES, ids=lambda item: str(item)[:70] if isinstance(item, str) else None
)
def test_case(name: str, values: dict[str, Any], case: dict[str, Any]) -> None:
    templar = Templar()
    scope = scope_with(templar, values)

    def result() -> Any:
        if "when" in case:
            return templar.condition(case["when"], scope)
        return render(case["text"], scope, templar)

    if "fails" not in case:
        found, wanted = result(), case["gives"] if "gives" in case else case["holds"]
        assert found == wanted
        assert type(found) is type(wanted)
        return
    with pytest.raises(OpsError) as caught:
        result()
    assert case["fails"] in caught.value.message
