"""perform: changed, check mode, diff, and the look after a change are the same for every module."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from opsplay.remote.perform import perform
from opsplay.remote.spec import ModuleFailure, Spec
from opsplay.remote.system import System


class Lamp:
    """A module about a lamp in memory; a broken one does not obey."""

    SPEC = Spec(open_ended=True)

    def __init__(self, lit: bool = False, broken: bool = False) -> None:
        self.lit = lit
        self.broken = broken
        self.applied: list[dict[str, Any]] = []

    def observe(self, system: System, args: Any) -> dict[str, Any]:
        return {"lit": self.lit, "watts": 40}

    def desired(self, args: Any, before: dict[str, Any]) -> dict[str, Any]:
        return {"lit": args.lit}

    def apply(self, system: System, args: Any, change: Any) -> dict[str, Any]:
        self.applied.append(dict(change.wanted))
        self.lit = change.wanted["lit"] and not self.broken
        return {"said": "click"}

    def report(self, args: Any, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        return {"was": before["lit"], "is": after["lit"]}


def test_a_change_is_made_once() -> None:
    lamp = Lamp()
    first = perform(lamp, System(diff=True), {"lit": True})
    assert first == {
        "changed": True,
        "was": False,
        "is": True,
        "said": "click",
        "diff": {"before": {"lit": False}, "after": {"lit": True}},
    }
    assert perform(lamp, System(diff=True), {"lit": True}) == {"changed": False, "was": True, "is": True}
    assert lamp.applied == [{"lit": True}]


def test_check_mode_predicts_and_touches_nothing() -> None:
    lamp = Lamp()
    predicted = perform(lamp, System(check=True, diff=True), {"lit": True})
    assert predicted == {
        "changed": True,
        "was": False,
        "is": True,
        "diff": {"before": {"lit": False}, "after": {"lit": True}},
    }
    assert lamp.applied == []


def test_a_change_that_does_not_take_is_a_failure() -> None:
    result = perform(Lamp(broken=True), System(), {"lit": True})
    assert result["failed"] is True
    assert result["msg"] == "the change did not take: lit should be True and is False"


def test_momentary_keys_are_not_looked_for_again() -> None:
    lamp = Lamp(broken=True)
    lamp.MOMENTARY = ("lit",)  # type: ignore[attr-defined]
    assert perform(lamp, System(), {"lit": True})["changed"] is True


def test_verbs_and_reads() -> None:
    spec = Spec(open_ended=True)
    verb = SimpleNamespace(SPEC=spec, act=lambda system, args: {"changed": args.x})
    assert perform(verb, System(), {"x": True}) == {"changed": True}
    read = SimpleNamespace(SPEC=spec, read=lambda system, args: {"changed": True, "x": 1})
    assert perform(read, System(), {}) == {"changed": False, "x": 1}
    silent = SimpleNamespace(SPEC=spec, act=lambda system, args: None)
    assert perform(silent, System(), {}) == {"changed": False}


def test_failures_carry_their_results_and_warnings() -> None:
    def act(system: System, args: Any) -> None:
        system.warn("careful")
        system.warn("careful")
        system.deprecate("old")
        raise ModuleFailure("no", rc=7)

    result = perform(SimpleNamespace(SPEC=Spec(), act=act), System(), {})
    assert result == {
        "failed": True,
        "msg": "no",
        "rc": 7,
        "changed": False,
        "warnings": ["careful"],
        "deprecations": [{"msg": "old"}],
    }


def test_temporary_folders_do_not_outlive_the_step(tmp_path: Any) -> None:
    import os

    folders: list[str] = []

    def act(system: System, args: Any) -> None:
        folders.append(system.temporary())
        assert os.stat(folders[0]).st_mode & 0o777 == 0o700
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        perform(SimpleNamespace(SPEC=Spec(), act=act), System(), {})
    assert not os.path.exists(folders[0])
