"""Owns reaching into a running guest out of band: its PID 1, and commands run there as root without SSH."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.cgroups import is_init

ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")


def leader_of(home: Path) -> int | None:
    """The guest's PID 1 as this machine numbers it; None while the guest is down, or in the last phase of going down.

    In that phase systemd-shutdown waits for every process in the guest, and for one of ours, which is nobody's child
    there, it would wait ten seconds after its end.
    """
    try:
        supervisor = int((home / "pid").read_text())
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        leader = next((int(child) for child in children if is_init(int(child))), None)
        going = leader and Path(f"/proc/{leader}/comm").read_text().startswith("systemd-shut")
    except (OSError, ValueError):
        return None
    return None if going else leader


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
    pipe = subprocess.PIPE
    with subprocess.Popen(enter, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = converse(process, text or "", timeout)
        except BaseException:
            process.kill()
            raise
        return subprocess.CompletedProcess(enter, process.returncode, out, err)


def converse(process: subprocess.Popen[str], text: str, timeout: float) -> tuple[str, str]:
    """Like `communicate`, but nsenter is woken now and then: it stops itself when a dying guest stops its child."""
    deadline = time.monotonic() + timeout
    given: str | None = text
    while True:
        try:
            return process.communicate(given, timeout=min(0.5, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise
            given = None
            process.send_signal(signal.SIGCONT)
