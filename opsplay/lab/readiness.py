"""Owns the answer to "is this host ready?": asked of the services themselves, never guessed from a delay."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.guest import run_in_guest
from opsplay.lab.hosts import LabHost

QUESTIONS = {
    "db": "until pg_isready -q; do sleep 0.02; done",
    "cache": 'until [ "$(redis-cli ping 2>/dev/null)" = PONG ]; do sleep 0.02; done',
}
# "degraded" is a booted host too: it says that some unit failed, and which one is the host's own business.
BOOTED = "systemctl is-system-running --wait >/dev/null; [ $(systemctl is-system-running) != starting ]"


def wait_until_ready(host: LabHost, seconds: float = 60) -> None:
    """Return when systemd has booted, the host's service answers and sshd greets; in this order, as they come up."""
    deadline = time.monotonic() + seconds
    for command in (BOOTED, QUESTIONS.get(host.role, "")):
        if command:
            until(deadline, host, partial(asked, host, command, deadline))
    until(deadline, host, partial(greets, host.address, host.port))


def asked(host: LabHost, command: str, deadline: float) -> bool:
    left = max(1.0, deadline - time.monotonic())
    return run_in_guest(host.home, command, timeout=left).returncode == 0


def until(deadline: float, host: LabHost, ready: Callable[[], bool], pause: float = 0.02) -> None:
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except (OSError, subprocess.TimeoutExpired, OpsError):
            pass
        time.sleep(pause)
    raise not_ready(host)


def greets(address: str, port: int, timeout: float = 2) -> bool:
    """Whether an SSH server says who it is there."""
    try:
        with socket.create_connection((address, port), timeout) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def not_ready(host: LabHost) -> OpsError:
    return OpsError(
        "lab-host-not-ready",
        f"the lab host {host.name} did not get ready; the end of its console:\n{tail(host.home / 'console.log')}",
        remedy="Start again: opsplay lab down && opsplay lab up",
        fault=Fault.HOST,
    )


def tail(path: Path, lines: int = 25) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
