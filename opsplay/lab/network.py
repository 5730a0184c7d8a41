"""Owns a lab's network: a free subnet, a bridge, and a network namespace with one link per host."""

from __future__ import annotations

import ipaddress
import json
import random
import subprocess

from opsplay.errors import Fault, OpsError
from opsplay.lab.ledger import Ledger

FIRST_HOST = 11


def ip(*arguments: str, lines: list[str] | None = None, check: bool = True) -> str:
    """Run `ip`, or a batch of its commands; what it complains about becomes the error."""
    command = ["ip", *arguments, *(["-batch", "-"] if lines is not None else [])]
    text = "\n".join(lines) + "\n" if lines is not None else None
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=60, check=False)
    if done.returncode and check:
        raise OpsError(
            "lab-network-failed",
            f"{' '.join(command)} failed: {done.stderr.strip()}",
            remedy="The lab needs the right to make bridges and network namespaces (root with CAP_NET_ADMIN).\n"
            "Without it: opsplay lab up --reduced",
            fault=Fault.HOST,
        )
    return done.stdout


def free_subnet() -> ipaddress.IPv4Network:
    """A random 10.x.y.0/24 that no route and no address of this machine touches."""
    taken = used_networks()
    for _ in range(1000):
        subnet = ipaddress.IPv4Network(f"10.{random.randint(16, 250)}.{random.randint(0, 255)}.0/24")
        if not any(subnet.overlaps(network) for network in taken):
            return subnet
    raise OpsError(
        "lab-no-free-subnet",
        "no /24 below 10.0.0.0/8 is free on this machine",
        remedy="Look at the routes: ip route show table all\nRemove labs that are left over: opsplay lab down --all",
        fault=Fault.HOST,
    )


def used_networks() -> list[ipaddress.IPv4Network]:
    networks = []
    for route in json.loads(ip("-4", "-j", "route", "show", "table", "all") or "[]"):
        destination = route.get("dst", "default")
        if destination != "default":
            networks.append(ipaddress.IPv4Network(destination, strict=False))
    for link in json.loads(ip("-4", "-j", "address") or "[]"):
        for address in link.get("addr_info", []):
            networks.append(ipaddress.IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False))
    # A default route in disguise (0.0.0.0/1 of a VPN) would rule out everything.
    return [network for network in networks if network.prefixlen > 8]


def bridge_name(lab_id: str) -> str:
    return f"opl{lab_id}"


def make_bridge(lab_id: str, subnet: ipaddress.IPv4Network, ledger: Ledger) -> None:
    """The controller's end. Its MAC is fixed: a bridge takes its lowest port's, and changes it under live sessions."""
    bridge = ledger.note("link", bridge_name(lab_id))
    mac = ":".join(["02", *(f"{random.randint(0, 255):02x}" for _ in range(5))])
    lines = [
        f"link add {bridge} address {mac} type bridge",
        f"address add {subnet[1]}/24 dev {bridge}",
        f"link set {bridge} up",
    ]
    ip(lines=lines)


def link_name(lab_id: str, number: int) -> str:
    """The controller's end of a host's link; 15 characters are the kernel's limit."""
    return f"opv{lab_id}n{number}"


def namespace_name(lab_id: str, host: str) -> str:
    return f"opsplay-{lab_id}-{host}"


def make_link(lab_id: str, number: int, host: str, subnet: ipaddress.IPv4Network, ledger: Ledger) -> str:
    """A namespace for the host and a veth pair into it; returns the host's address."""
    namespace = ledger.note("netns", namespace_name(lab_id, host))
    link = ledger.note("link", link_name(lab_id, number))
    address = str(subnet[FIRST_HOST + number])
    outside = [
        f"netns add {namespace}",
        f"link add {link} type veth peer name eth0 netns {namespace}",
        f"link set {link} master {bridge_name(lab_id)} up",
    ]
    inside = [
        "link set lo up",
        f"address add {address}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {subnet[1]}",
    ]
    ip(lines=outside)
    ip("-n", namespace, lines=inside)
    return address
