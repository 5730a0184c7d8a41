"""Owns the faults that a reduced lab can make: those of its SSH servers, which are all that it has of its own."""

from __future__ import annotations

import signal
import time

from opsplay.lab.faults import Maker, Options, Values, choice
from opsplay.lab.hosts import LabHost
from opsplay.lab.lab import Lab
from opsplay.lab.reduced_removal import command_of, send
from opsplay.lab.user_processes import lab_processes, open_sockets, parent_of, sockets_of
from opsplay.lab.user_sshd import start_sshd


def ssh_processes(lab: Lab, host: LabHost) -> set[int]:
    """Listener and sessions of one host, with what the sessions run."""
    sockets = sockets_of({host.port})
    everything = lab_processes(lab.home, {host.port})
    config = str(host.home / "sshd_config")
    found = {pid for pid in everything if config in command_of(pid) or sockets & open_sockets(pid)}
    while more := {pid for pid in everything if parent_of(pid) in found and pid not in found}:
        found |= more
    return found


def sshd(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """`kill` ends listener and sessions and starts the listener again, as systemd does on a real host."""
    action = choice("sshd", values, "kill", "stop", "start")
    if action in ("kill", "stop"):
        deadline = time.monotonic() + 5
        while (left := ssh_processes(lab, host)) and time.monotonic() < deadline:
            send(left, signal.SIGKILL)
            time.sleep(0.02)
    if action == "stop":
        return "sshd stopped"
    if not ssh_processes(lab, host):
        start_sshd(host, lab.id)
    lab.wait_ready(host.name)
    return f"sshd {'kill' if action == 'kill' else 'stop'} ended"


def partition(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """Server and sessions are frozen: connections hang as they do when a link is cut, but the kernel still answers."""
    state = choice("partition", values, "on", "off")
    send(ssh_processes(lab, host), signal.SIGSTOP if state == "on" else signal.SIGCONT)
    return "frozen (a cut link, nearly)" if state == "on" else "partition ended"


MAKERS: dict[str, Maker] = {"sshd": sshd, "partition": partition}
