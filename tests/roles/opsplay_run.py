"""opsplay as a user calls it, and what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent.parent
OPSPLAY = str(Path(sys.executable).with_name("opsplay"))
Run = Callable[..., "Outcome"]


class Outcome:
    """One `opsplay run`: its exit code, what it printed, its JSON summary."""

    def __init__(self, done: subprocess.CompletedProcess[str], report: Path) -> None:
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        self.summary: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}

    def changed(self) -> int:
        return sum(host["changed"] for host in self.hosts().values())

    def hosts(self) -> dict[str, dict[str, int]]:
        found = self.summary["hosts"]
        return found if isinstance(found, dict) else {host["name"]: host for host in found}
