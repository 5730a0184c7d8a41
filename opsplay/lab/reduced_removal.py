"""Owns stopping a reduced lab's servers and sessions, whatever is left of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.ledger import Ledger
from opsplay.lab.user_processes import lab_processes


def stop_servers(home: Path, ledger: Ledger, patience: float = 5) -> None:
    """PostgreSQL is asked to quit first, as it has shared memory to give back; the rest is killed."""
    ports = {int(name.rpartition(":")[2]) for name in ledger.made("sshd")}
    quit_postgres(home)
    deadline = time.monotonic() + patience
    while left := lab_processes(home, ports):
        send(left, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise OpsError(
                "lab-host-immortal",
                f"processes of the lab survive SIGKILL: {sorted(left)}",
                remedy="They wait for the kernel or a disk; try again: opsplay lab down",
                fault=Fault.HOST,
            )
        time.sleep(0.02)
    for folder in ledger.made("rundir"):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def quit_postgres(home: Path, patience: float = 5) -> None:
    for file in home.glob("hosts/*/postgres/postmaster.pid"):
        lines = file.read_text().splitlines()
        pid = int(lines[0])
        if str(file.parent) in command_of(pid):
            send({pid}, signal.SIGQUIT)
            deadline = time.monotonic() + patience
            while str(file.parent) in command_of(pid) and time.monotonic() < deadline:
                time.sleep(0.02)
        # A killed postmaster leaves its segment, which the sixth and seventh word of the file name.
        if file.exists() and len(lines) > 6 and (words := lines[6].split()):
            subprocess.run(["ipcrm", "-m", words[-1]], capture_output=True, timeout=10, check=False)


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
