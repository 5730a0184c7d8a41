"""Owns the control groups of a lab: every process of a host can be found in its group, orphaned or not."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

MOUNTS = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))


def group_paths(name: str) -> list[Path]:
    """The group's folders in the hierarchies that systemd and systemd-nspawn use: one (v2) or two (hybrid)."""
    return [mount / name for mount in MOUNTS if (mount / "cgroup.procs").exists()]


def make_group(name: str) -> list[Path]:
    paths = group_paths(name)
    for path in paths:
        path.mkdir(parents=True, exist_ok=True)
    return paths


def processes_in(name: str) -> set[int]:
    """All processes of the group and of the groups below it."""
    found: set[int] = set()
    # os.walk, as a guest makes and removes groups while we look; pathlib fails over a folder that goes away.
    for folder in (folder for path in group_paths(name) for folder, _, _ in os.walk(path)):
        with contextlib.suppress(OSError):
            found.update(int(word) for word in Path(folder, "cgroup.procs").read_text().split())
    return found - {0}


def inits_in(name: str) -> set[int]:
    """The guests' PID 1: killing it ends everything in its PID namespace, and systemd-nspawn tidies up after it."""
    return {pid for pid in processes_in(name) if is_init(pid)}


def is_init(pid: int) -> bool:
    """Whether the process is number 1 in a PID namespace of its own."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    line = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
    numbers = line.split()[1:]
    return len(numbers) > 1 and numbers[-1] == "1"


def kill(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove_group(name: str) -> None:
    """Remove the empty group and those below it, deepest first."""
    for path in group_paths(name):
        if not path.is_dir():
            continue
        below = [Path(folder) for folder, _, _ in os.walk(path, topdown=False)]
        for folder in below:
            with contextlib.suppress(OSError):
                folder.rmdir()
