"""Fault row 33: what check mode announces is what happens, over random work on packages of a lab host."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from runs_on_lab import Remote

from opsplay.lab import Lab
from opsplay.remote.packages.apt_get import Plan

HOST = "web2"
NAMES = ("lab-conf", "lab-hello", "lab-service", "lab-openssl-ish", "lab-kernel-ish", "lab-orphan", "lab-held")
ROUNDS = 14


@pytest.fixture(autouse=True, scope="module")
def fresh(lab: Lab) -> None:
    lab.recreate(HOST)


def snapshot(lab: Lab) -> dict[str, str]:
    """{package: version} of what is installed."""
    form = "${Package} ${Version} ${db:Status-Abbrev}\\n"
    rows = [line.split() for line in lab.run(HOST, f"dpkg-query -W -f '{form}'").stdout.splitlines()]
    return {row[0]: row[1] for row in rows if row[2].endswith("i")}


def after(before: dict[str, str], result: dict[str, Any]) -> dict[str, str]:
    """The snapshot that the announced plan leads to."""
    expected = dict(before)
    for action in Plan(SimpleNamespace(stdout=result.get("stdout", ""))).actions:
        if action.kind in ("remove", "purge"):
            expected.pop(action.name, None)
        elif action.kind != "configure":
            expected[action.name] = action.new
    return expected


def some_work(chance: random.Random) -> dict[str, Any]:
    name = chance.choice(NAMES)
    return chance.choice([
        {"name": [name], "state": "latest"}, {"name": [name], "state": "present"}, {"name": [name], "state": "absent"},
        {"name": [f"{name}=1.0"], "state": "present"}, {"name": [f"{name}=1.*"], "allow_downgrade": True},
        {"upgrade": "safe"}, {"upgrade": "dist"}, {"autoremove": True},
        {"name": [name, chance.choice(NAMES)], "state": "latest", "only_upgrade": True},
    ])


def test_the_plan_is_the_result(lab: Lab, remote: Remote) -> None:
    chance = random.Random(20)
    for _ in range(ROUNDS):
        work = some_work(chance)
        before = snapshot(lab)
        predicted = remote(HOST, "apt", work, check=True)
        assert snapshot(lab) == before, f"check mode changed something: {work}"
        done = remote(HOST, "apt", work)
        assert (predicted["changed"], predicted.get("failed")) == (done["changed"], done.get("failed")), (work, predicted, done)
        expected = before if done.get("failed") else after(before, predicted)
        assert snapshot(lab) == expected, (work, predicted, done)
        assert snapshot(lab)["lab-held"] == "1.0", f"a held package was changed by {work}"
