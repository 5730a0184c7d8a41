"""Reading an address with its network, and counting through the network."""

from __future__ import annotations

import ipaddress
from typing import Any

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(value: Any) -> Interface | None:
    """The address and network that a text or a number says, or None."""
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, int):
        value = _from_number(value)
    try:
        return ipaddress.ip_interface(str(value).strip())
    except ValueError:
        return None


def _from_number(number: int) -> str:
    try:
        return str(ipaddress.ip_address(number))
    except ValueError:
        return ""


def is_network(interface: Interface) -> bool:
    return interface.network.num_addresses > 1 and interface.ip == interface.network.network_address


def is_single(interface: Interface) -> bool:
    return interface.network.num_addresses == 1


def nth(interface: Interface, index: int) -> Address | None:
    network = interface.network
    count = network.num_addresses
    if not -count <= index < count:
        return None
    return network.network_address + (index if index >= 0 else count + index)


def usable(interface: Interface) -> tuple[Address, Address]:
    """The first and the last address that a host may have."""
    network = interface.network
    first, last = network.network_address, network.network_address + (network.num_addresses - 1)
    if network.num_addresses <= 2:
        return first, last
    return first + 1, last - 1 if network.version == 4 else last
