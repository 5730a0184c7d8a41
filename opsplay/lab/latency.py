"""Owns slow links: a user-space cable put between a host's link and the lab's bridge, and taken out again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab import network
from opsplay.lab.cable import control_path
from opsplay.lab.cgroups import kill, make_group, processes_in, remove_group
from opsplay.lab.hosts import LabHost
from opsplay.lab.lab import Lab
from opsplay.lab.ledger import Ledger

CABLE = Path(__file__).with_name("cable.py")


def link_of(lab: Lab, host: LabHost) -> str:
    return network.link_name(lab.id, lab.hosts.index(host))


def cable_group(lab: Lab, host: LabHost) -> str:
    return f"opsplay-lab-{lab.id}/{host.name}.cable"


def set_latency(lab: Lab, host: LabHost, round_trip_ms: float, jitter_ms: float, loss: float) -> None:
    """Half of the delay and of the jitter in each direction; loss is the chance of each frame in each direction."""
    if not processes_in(cable_group(lab, host)):
        insert_cable(lab, host)
    settings = f"delay_ms={round_trip_ms / 2} jitter_ms={jitter_ms / 2} loss={loss}"
    folder = os.open(host.home, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as control:
        control.sendto(settings.encode(), control_path(folder))
    os.close(folder)


def insert_cable(lab: Lab, host: LabHost) -> None:
    """link - small bridge - TAP = cable = TAP - lab's bridge: the guest keeps its interface and its connections."""
    number = lab.hosts.index(host)
    ledger = Ledger(lab.home / "ledger.jsonl")
    near, far, small = (ledger.note("link", f"op{kind}{lab.id}n{number}") for kind in "tfs")
    start_cable(lab, host, near, far, ledger)
    lines = [
        f"link add {small} type bridge",
        f"link set {small} up",
        f"link set {near} master {small} up",
        f"link set {far} master {network.bridge_name(lab.id)} up",
        f"link set {link_of(lab, host)} master {small}",
    ]
    network.ip(lines=lines)


def start_cable(lab: Lab, host: LabHost, near: str, far: str, ledger: Ledger) -> None:
    """Started inside a control group of its own, so that `down` finds it whatever happens to us."""
    groups = make_group(ledger.note("cgroup", cable_group(lab, host)))
    enter = "".join(f"echo $$ >{group}/cgroup.procs; " for group in groups)
    command = [
        "setsid",
        "--fork",
        "sh",
        "-c",
        f'{enter}exec "$@"',
        "sh",
        sys.executable,
        "-I",
        "-S",
        str(CABLE),
        near,
        far,
        str(host.home),
    ]
    with (host.home / "cable.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd="/")
    assert process.stdout is not None
    said = process.stdout.readline()
    process.stdout.close()
    process.wait(30)
    if said != b"ready\n":
        raise OpsError(
            "lab-no-cable",
            f"the cable of {host.name} did not start: {(host.home / 'cable.log').read_text(errors='replace').strip()}",
            remedy="Latency and loss need /dev/net/tun; look whether it is there and open to root.",
            fault=Fault.HOST,
        )


def remove_cable(lab: Lab, host: LabHost) -> None:
    number = lab.hosts.index(host)
    network.ip("link", "set", link_of(lab, host), "master", network.bridge_name(lab.id))
    kill(processes_in(cable_group(lab, host)))
    small = f"ops{lab.id}n{number}"
    if Path("/sys/class/net", small).exists():
        network.ip("link", "delete", small)
    while processes_in(cable_group(lab, host)):
        pass
    remove_group(cable_group(lab, host))
