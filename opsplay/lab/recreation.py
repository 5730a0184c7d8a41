"""Owns starting a host again from the plan that `up` made: with its old disk, or with a fresh one."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from opsplay.lab.hosts import LabHost
from opsplay.lab.lab import Lab
from opsplay.lab.ledger import Ledger
from opsplay.lab.nspawn import Blueprint, boot, start_host, stop_host
from opsplay.lab.removal import unmount

PATHS = ("home", "host_key", "client_key")


def save_plan(plan: Blueprint) -> None:
    file = plan.home / "plan.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(plan), default=str))


def load_plan(home: Path) -> Blueprint:
    row: dict[str, Any] = json.loads((home / "plan.json").read_text())
    row.update({key: Path(row[key]) for key in PATHS})
    row["layers"] = tuple(Path(layer) for layer in row["layers"])
    return Blueprint(**row)


def group_of(lab: Lab, host: LabHost) -> str:
    return f"opsplay-lab-{lab.id}/{host.name}"


def boot_again(lab: Lab, host: LabHost) -> None:
    boot(load_plan(host.home), Ledger(lab.home / "ledger.jsonl"))


def recreate_host(lab: Lab, host: LabHost) -> None:
    """Power off, throw the writable layer away, start as `up` did; faults of the network stay as they are."""
    plan = load_plan(host.home)
    stop_host(host.home, group_of(lab, host))
    unmount([str(plan.root), str(plan.home / "writable")])
    shutil.rmtree(plan.home / "writable")
    start_host(plan, Ledger(lab.home / "ledger.jsonl"))
    lab.wait_ready(host.name)
