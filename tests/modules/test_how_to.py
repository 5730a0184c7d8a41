"""The module of docs/how-to/add-a-module.md is the file that is tested here, by its own cases."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import world
from case_files import Case, load_file
from judging import diff_text, mismatches

from opsplay.actions.arguments import typed_arguments
from opsplay.errors import OpsError
from opsplay.remote.perform import perform
from opsplay.remote.system import System

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "add-a-module"
CASES = load_file(EXAMPLE / "issue.yml")


def module() -> Any:
    spec = importlib.util.spec_from_file_location("issue", EXAMPLE / "issue.py")
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def run(code: Any, args: dict[str, Any], check: bool = False) -> dict[str, Any]:
    try:
        return perform(code, System(check=check, diff=True), typed_arguments("issue", code.SPEC, args))
    except OpsError as error:
        return {"failed": True, "changed": False, "msg": error.message}


@pytest.mark.parametrize("name", ["issue.py", "issue.yml"])
def test_the_page_shows_the_files(name: str) -> None:
    assert (EXAMPLE / name).read_text() in (DOCS / "how-to" / "add-a-module.md").read_text()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_example_holds(case: Case, tmp_path: Path) -> None:
    filled, code = case.filled({"<tmp>": str(tmp_path)}), module()
    world.build(str(tmp_path), filled.get("world", {}))
    args = filled.get("args", {})
    predicted, result = run(code, args, check=True), run(code, args)
    assert not mismatches(filled.get("expect", {}), result), result
    assert bool(result.get("failed")) is bool(filled.get("fails"))
    assert predicted["changed"] == result["changed"] and diff_text(predicted.get("diff")) == diff_text(result.get("diff"))
    assert not world.problems(str(tmp_path), filled.get("then", {}))
    assert filled.get("fails") or run(code, args)["changed"] is False
