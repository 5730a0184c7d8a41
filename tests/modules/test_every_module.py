"""The one generic test: every module and action predicts, does, and then leaves alone what its cases describe."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from case_files import Case, load_cases
from exemptions import EXEMPT
from judging import diff_text, mismatches
from workbench import Bench, is_root

from opsplay.model.catalog import own_actions, own_modules

CASES = load_cases()


@pytest.fixture(params=CASES, ids=[case.id for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def bench(case: Case, request: pytest.FixtureRequest) -> Bench:
    if case.get("lab"):
        return request.getfixturevalue("lab_bench")
    if case.get("root") and not is_root():
        pytest.skip("this case needs root")
    for program in case.get("needs", ()):
        if shutil.which(program) is None:
            pytest.skip(f"this case needs the program {program}")
    return request.getfixturevalue("local_bench")


class Trial:
    """One case on one bench: its folders, and its module with its arguments."""

    def __init__(self, case: Case, bench: Bench, source: Path, web: str, port: int) -> None:
        self.bench = bench
        self.top = bench.folder()
        self.source = source
        self.case = case.filled({"<tmp>": self.top, "<src>": str(source), "<web>": web, "<port>": str(port)})

    def prepare(self) -> None:
        self.bench.world("build", self.top, self.case.get("world", {}))
        if self.case.get("source"):
            import world

            world.build(str(self.source), self.case.get("source"))

    def run(self, check: bool = False) -> dict[str, Any]:
        return self.bench.run(self.case.module, self.case.get("args", {}), check, self.source, self.case)

    def fingerprint(self) -> dict[str, Any]:
        return self.bench.world("fingerprint", self.top, self.case.get("watch", []))

    def require(self, expected: dict[str, Any], actual: dict[str, Any], what: str) -> None:
        found = mismatches(expected, actual)
        assert not found, f"{what}: {'; '.join(found)}\nresult: {actual}"


@pytest.fixture
def trial(case: Case, bench: Bench, tmp_path: Path, web: str, free_port: int) -> Iterator[Trial]:
    one = Trial(case, bench, tmp_path, web, free_port)
    try:
        one.prepare()
        yield one
    finally:
        bench.world("remove", one.top, one.case.get("cleanup", []))


def spec_of(name: str) -> Any:
    folder = "opsplay.actions" if name in own_actions() else "opsplay.remote.modules"
    return importlib.import_module(f"{folder}.{name}").SPEC


def test_module(trial: Trial) -> None:
    case, spec = trial.case, spec_of(trial.case.module)
    before = trial.fingerprint()
    predicted = trial.run(check=True)
    assert trial.fingerprint() == before, f"check mode changed the world: {predicted}"
    result = trial.run()
    after = trial.fingerprint()
    require_result(trial, result)
    require_prediction(trial, spec, predicted, result)
    require_world(trial, result, before, after)
    if not case.get("fails") and (case.get("again") or case.get("repeat", spec.repeatable)):
        require_repeat(trial, after)


def require_result(trial: Trial, result: dict[str, Any]) -> None:
    case = trial.case
    fails = bool(case.get("fails"))
    assert bool(result.get("failed")) is fails, f"failed should be {fails}: {result}"
    trial.require(case.get("expect", {}), result, "the run")


def require_prediction(trial: Trial, spec: Any, predicted: dict[str, Any], result: dict[str, Any]) -> None:
    """Check mode says what the run then does, or what the case says it says instead."""
    if trial.case.get("check") is not None:
        trial.require(trial.case.get("check"), predicted, "check mode")
        return
    if spec.check == "none":
        assert (predicted.get("skipped") or predicted.get("failed")) and not predicted.get("changed"), predicted
        return
    for key in ("changed", "failed"):
        assert bool(predicted.get(key)) == bool(result.get(key)), f"check mode predicts {predicted}\nthe run gives {result}"
    wanted = diff_text(result.get("diff"))
    assert diff_text(predicted.get("diff")) == wanted, "check mode predicts another diff"
    shown = trial.case.get("diff")
    if isinstance(shown, str):
        missing = [line for line in shown.splitlines() if line not in wanted]
        assert not missing, f"the diff lacks {missing}:\n{wanted}"
    elif shown is False or not result.get("changed"):
        assert not wanted or result.get("changed"), f"a diff without a change:\n{wanted}"
    elif spec.repeatable:
        assert wanted, f"changed, and the diff is empty: {result}"


def require_world(trial: Trial, result: dict[str, Any], before: Any, after: Any) -> None:
    case = trial.case
    if case.get("then"):
        found = trial.bench.world("problems", trial.top, case.get("then"))
        assert not found, f"the world afterwards: {found}\nresult: {result}"
    if not result.get("changed") and not case.get("partial"):
        assert after == before, f"not changed, and yet the world differs: {result}"
    elif case.get("watch") and not case.get("then") and result.get("changed"):
        assert after != before, f"changed, and the world is the same: {result}"


def require_repeat(trial: Trial, after: Any) -> None:
    again = trial.run()
    trial.require(trial.case.get("again") or {"changed": False, "failed": None}, again, "the second run")
    if not again.get("changed"):
        assert trial.fingerprint() == after, f"the second run changed the world: {again}"


def test_cases_were_found() -> None:
    assert len(CASES) > 100


def test_every_module_and_action_has_a_case() -> None:
    known = own_modules() | own_actions()
    with_case = {case.module for case in CASES}
    assert not with_case - known, f"cases for nothing: {sorted(with_case - known)}"
    assert known - with_case == set(EXEMPT), f"without a case: {sorted(known - with_case - set(EXEMPT))}"
    assert all(reason.strip() for reason in EXEMPT.values())
