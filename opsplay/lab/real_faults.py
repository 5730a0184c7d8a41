"""Owns how each fault is made on a real host of the lab."""

from __future__ import annotations

import time

from opsplay.lab import network
from opsplay.lab.faults import Maker, Options, Values, choice, faults_of, number, usage_error
from opsplay.lab.guest import leader_of, run_in_guest, wait_for_leader
from opsplay.lab.hosts import LabHost
from opsplay.lab.lab import Lab
from opsplay.lab.latency import link_of, remove_cable, set_latency
from opsplay.lab.nspawn import stop_host
from opsplay.lab.recreation import boot_again, group_of

MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
FILL = ".lab-fill"
SHIFT = "/etc/lab-clock"


def inside(host: LabHost, command: str) -> str:
    """Run in the guest as root; a fault that could not be made is an error of ours to explain."""
    done = run_in_guest(host.home, command)
    if done.returncode:
        raise usage_error(f"{host.name} refused `{command}`: {done.stderr.strip()}", "opsplay lab status")
    return done.stdout.strip()


def partition(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """The cable is pulled: nothing is refused and nothing reset, packets are lost."""
    state = choice("partition", values, "on", "off")
    network.ip("link", "set", link_of(lab, host), "down" if state == "on" else "up")
    return "cut off from the network" if state == "on" else "partition ended"


def latency(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """Round-trip time added to the link, from now on and for open connections too."""
    if list(values) in (["off"], ["none"]):
        remove_cable(lab, host)
        return "latency ended"
    delay = number("latency", values[0] if len(values) == 1 else " ".join(values), MILLISECONDS)
    jitter = number("latency", options.get("jitter") or "0", MILLISECONDS)
    loss = number("latency", options.get("loss") or "0", {"%": 0.01})
    if min(delay, jitter, loss) < 0 or loss > 1:
        raise usage_error(
            "delay and jitter are not negative, and loss is 0% to 100%", "opsplay lab fault HOST latency 40ms"
        )
    set_latency(lab, host, delay, jitter, loss)
    return f"{delay:g} ms round trip added, jitter {jitter:g} ms, loss {loss:.2%} each way"


def sshd(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """`kill` ends listener and sessions (systemd starts the listener again); `stop` ends both until `start`."""
    action = choice("sshd", values, "kill", "stop", "start")
    if action == "start":
        inside(host, "systemctl reset-failed ssh.service; systemctl start ssh.service")
        return "sshd stop ended"
    before = "systemctl stop ssh.service; " if action == "stop" else ""
    inside(host, f"{before}pkill -KILL -x sshd || true")
    return "sshd stopped" if action == "stop" else "sshd kill ended"


def disk_full(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """Fill a small file system to its last block; /srv/data is one, `/` is one on a lab with --root-size."""
    state = choice("disk-full", values, "on", "off")
    if state == "off":
        for folder in ("/srv/data", "/"):
            inside(host, f"rm -f {folder}/{FILL}")
        return "full disk ended"
    path = options.get("path") or "/srv/data"
    if path not in ("/srv/data", "/"):
        raise usage_error("disk-full fills /srv/data or /", "opsplay lab fault HOST disk-full on --path /srv/data")
    kilobytes = int(inside(host, f"df --output=size -k {path} | tail -1"))
    if kilobytes > 4 << 20:
        raise usage_error(
            f"{path} of {host.name} is the disk of this machine, which must not be filled",
            "Start the lab with a small one: opsplay lab up --root-size 256m",
        )
    inside(host, f"cat /dev/zero > {path}/{FILL} 2>/dev/null; [ $(df --output=avail -k {path} | tail -1) -le 4 ]")
    return f"{path} is full"


def clock(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """Every program that is started from now on sees the shifted wall clock, and follows each later shift at once.

    Guests share this machine's kernel clock, so a small library shifts it in each program, through ld.so.preload.
    What already runs keeps the true time until it is started anew; file times come from the kernel and stay true.
    """
    if list(values) == ["off"]:
        inside(host, f"rm -f {SHIFT} /etc/ld.so.preload")
        return "clock shift ended"
    text = values[0] if len(values) == 1 else " ".join(values)
    seconds = number("clock", text, SECONDS)
    inside(host, f"echo '{seconds:+.0f}' > {SHIFT}; echo /usr/local/lib/lab-clock.so > /etc/ld.so.preload")
    return f"clock shifted by {seconds:+.0f} s for programs started from now on"


def reboot(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """An orderly reboot, waited for until the host is ready again."""
    if values:
        raise usage_error(f'"reboot" takes no value, not "{" ".join(values)}"', "opsplay lab fault HOST reboot")
    before = wait_for_leader(host.home)
    inside(host, "systemctl --no-block reboot")
    deadline = time.monotonic() + 30
    while leader_of(host.home) in (before, None) and time.monotonic() < deadline:
        time.sleep(0.02)
    if "partition" not in faults_of(host):
        lab.wait_ready(host.name)
    return "reboot ended"


def power(lab: Lab, host: LabHost, values: Values, options: Options) -> str:
    """The plug: off at once, without a shutdown; on boots from the same disk."""
    if choice("power", values, "off", "on") == "off":
        stop_host(host.home, group_of(lab, host))
        return "powered off"
    if leader_of(host.home) is None:
        boot_again(lab, host)
    if "partition" not in faults_of(host):
        lab.wait_ready(host.name)
    return "power cut ended"


MAKERS: dict[str, Maker] = {
    "partition": partition,
    "latency": latency,
    "sshd": sshd,
    "disk-full": disk_full,
    "clock": clock,
    "reboot": reboot,
    "power": power,
}
