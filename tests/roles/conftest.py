"""Roles and playbooks over real SSH on real hosts: the lab, and opsplay as a user calls it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from opsplay_run import OPSPLAY, PROJECT, Outcome, Run

from opsplay.lab.pytest_fixtures import lab

__all__ = ["lab"]


@pytest.fixture
def run(lab: Any, tmp_path: Path) -> Run:
    def run(playbook: str | Path, *words: str) -> Outcome:
        report = tmp_path / "summary.json"
        report.unlink(missing_ok=True)
        command = [OPSPLAY, "run", str(playbook), "-i", str(lab.inventory_path), "-q", "--no-history", "-o", str(report)]
        done = subprocess.run([*command, *words], cwd=PROJECT, capture_output=True, text=True, timeout=300)
        return Outcome(done, report)

    return run
