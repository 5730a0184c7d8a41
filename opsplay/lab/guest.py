"""Owns reaching into a running guest out of band: its PID 1, and commands run there as root without SSH."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.cgroups import is_init

ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")


def leader_of(home: Path) -> int | None:
    """The guest's PID 1 as this machine numbers it; None while the guest is down."""
    try:
        supervisor = int((home / "pid").read_text())
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    except (OSError, ValueError):
        return None
    return next((int(child) for child in children if is_init(int(child))), None)


def wait_for_leader(home: Path, seconds: float = 10) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if leader := leader_of(home):
            return leader
        time.sleep(0.01)
    raise OpsError(
        "lab-host-down",
        f"the lab host {home.name} is not running",
        remedy=f"Its console: {home / 'console.log'}\nSwitch it on: opsplay lab fault {home.name} power on",
        fault=Fault.HOST,
    )


def run_in_guest(
    home: Path, command: str, *, text: str | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a shell command as the guest's root, through its namespaces: works with sshd dead or the link cut."""
    leader = wait_for_leader(home)
    enter = ["nsenter", "-t", str(leader), "-a", "env", "-i", *ENVIRONMENT, "/bin/sh", "-c", f"cd /\n{command}"]
    return subprocess.run(enter, input=text or "", text=True, capture_output=True, timeout=timeout, check=False)
