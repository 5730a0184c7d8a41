"""Owns the record of what a lab has made on this machine: each thing is written down before it is made."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


def labs_home() -> Path:
    """Where every lab of this user keeps its hosts and its ledger; `down --all` looks nowhere else."""
    if given := os.environ.get("OPSPLAY_LAB_HOME"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/opsplay/lab")
    state = os.environ.get("XDG_STATE_HOME")
    home = Path(state) if state else Path.home() / ".local" / "state"
    if os.access(home if home.exists() else Path.home(), os.W_OK):
        return home / "opsplay" / "lab"
    return Path(tempfile.gettempdir()) / f"opsplay-lab-{os.geteuid()}"


def labs_found() -> list[Path]:
    """The homes of all labs of this user, whatever state they are in."""
    home = labs_home()
    return sorted(path.parent for path in home.glob("*/ledger.jsonl")) if home.is_dir() else []


@dataclass(frozen=True, slots=True)
class Ledger:
    """An append-only file of entries `{"make": kind, "name": ...}`; a killed `up` leaves a ledger that still tells."""

    path: Path

    @classmethod
    def open(cls, home: Path) -> Ledger:
        # Nobody else may reach in: the guests' users and their setuid programs have numbers of this machine.
        home.mkdir(parents=True, mode=0o700, exist_ok=True)
        return cls(home / "ledger.jsonl")

    def note(self, kind: str, name: str) -> str:
        """Write down that a thing is about to be made; returns its name, to make it with."""
        with self.path.open("a") as out:
            out.write(json.dumps({"make": kind, "name": name}) + "\n")
        return name

    def made(self, kind: str) -> list[str]:
        """The names of one kind, newest first, each once."""
        return list(dict.fromkeys(name for made, name in reversed(list(self)) if made == kind))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # the last line of a process that was killed while it wrote
                continue
            yield entry["make"], entry["name"]
