"""Tests of ansible.utils for IP and MAC addresses."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from opsplay.templating.filters.addresses import contains, hwaddr
from opsplay.templating.networks.interfaces import Interface, parse
from opsplay.templating.texts import to_text


def _checked(check: Callable[[Interface], bool], summary: str) -> Callable[[Any], bool]:
    def test(ip: Any) -> bool:
        interface = parse(ip)
        return interface is not None and check(interface)

    test.__doc__ = summary
    return test


def _single(ip: Any, version: int | None = None) -> bool:
    interface = parse(ip) if "/" not in to_text(ip) else None
    return interface is not None and version in (None, interface.version)


def ip_address(ip: Any) -> bool:
    """Whether the text is an IP address without a network."""
    return _single(ip)


def ipv4_address(ip: Any) -> bool:
    """Whether the text is an IPv4 address without a network."""
    return _single(ip, 4)


def ipv6_address(ip: Any) -> bool:
    """Whether the text is an IPv6 address without a network."""
    return _single(ip, 6)


def in_network(ip: Any, network: Any) -> bool:
    """Whether the address is inside the network."""
    inner, outer = parse(ip), parse(network)
    return inner is not None and outer is not None and contains(outer, inner)


def in_any_network(ip: Any, networks: Any) -> bool:
    """Whether the address is inside at least one of the networks."""
    return any(in_network(ip, network) for network in networks)


def in_one_network(ip: Any, networks: Any) -> bool:
    """Whether the address is inside exactly one of the networks."""
    return sum(in_network(ip, network) for network in networks) == 1


def subnet_of(network_a: Any, network_b: Any) -> bool:
    """Whether the first network is inside the second."""
    return in_network(network_a, network_b)


def supernet_of(network_a: Any, network_b: Any) -> bool:
    """Whether the second network is inside the first."""
    return in_network(network_b, network_a)


def mac(value: Any) -> bool:
    """Whether the text is a MAC address."""
    return bool(hwaddr(value, "bool"))


def resolvable(host: Any) -> bool:
    """Whether the name can be resolved on the controller."""
    try:
        socket.getaddrinfo(to_text(host), None)
    except OSError:
        return False
    return True


TESTS: dict[str, Callable[..., bool]] = {
    "in_any_network": in_any_network,
    "in_network": in_network,
    "in_one_network": in_one_network,
    "ip": _checked(lambda interface: True, "Whether the text is an IP address or network."),
    "ip_address": ip_address,
    "ipv4": _checked(lambda interface: interface.version == 4, "Whether the text is an IPv4 address or network."),
    "ipv4_address": ipv4_address,
    "ipv6": _checked(lambda interface: interface.version == 6, "Whether the text is an IPv6 address or network."),
    "ipv6_address": ipv6_address,
    "loopback": _checked(lambda interface: interface.ip.is_loopback, "Whether the address is a loopback one."),
    "mac": mac,
    "multicast": _checked(lambda interface: interface.ip.is_multicast, "Whether the address is a multicast one."),
    "private": _checked(lambda interface: interface.ip.is_private, "Whether the address is private."),
    "public": _checked(lambda interface: interface.ip.is_global, "Whether the address is public."),
    "reserved": _checked(lambda interface: interface.ip.is_reserved, "Whether the address is reserved."),
    "resolvable": resolvable,
    "subnet_of": subnet_of,
    "supernet_of": supernet_of,
    "unspecified": _checked(lambda interface: interface.ip.is_unspecified, "Whether the address is unspecified."),
}
