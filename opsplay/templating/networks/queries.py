"""What `ipaddr` can be asked about an address; None means that the address does not fit."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from opsplay.templating.networks.interfaces import Interface, is_network, is_single, usable

Query = Callable[[Interface, Any], Any]


def itself(interface: Interface, value: Any) -> Any:
    if isinstance(value, str) and "/" not in value:
        return value
    return str(interface.ip) if isinstance(value, int) else str(interface)


def _kept(check: Callable[[Interface], bool]) -> Query:
    return lambda interface, value: itself(interface, value) if check(interface) else None


def _address(interface: Interface, value: Any) -> Any:
    return None if is_network(interface) else str(interface.ip)


def _host(interface: Interface, value: Any) -> Any:
    return None if is_network(interface) else str(interface)


def _with_prefix(interface: Interface, value: Any) -> Any:
    return None if is_network(interface) or is_single(interface) else str(interface)


def _net(interface: Interface, value: Any) -> Any:
    return str(interface.network) if is_network(interface) else None


def _number(interface: Interface, value: Any) -> Any:
    return int(interface.ip) if is_single(interface) else f"{int(interface.ip)}/{interface.network.prefixlen}"


def _broadcast(interface: Interface, value: Any) -> Any:
    return str(interface.network.broadcast_address) if interface.network.num_addresses > 2 else None


def _usable(which: int) -> Query:
    return lambda interface, value: None if is_single(interface) else str(usable(interface)[which])


def _range(interface: Interface, value: Any) -> Any:
    return None if is_single(interface) else "-".join(str(address) for address in usable(interface))


def _size_usable(interface: Interface, value: Any) -> Any:
    if is_single(interface):
        return 0
    first, last = usable(interface)
    return int(last) - int(first) + 1


def _neighbour(step: int) -> Query:
    def query(interface: Interface, value: Any) -> Any:
        if is_single(interface):
            return None
        first, last = usable(interface)
        wanted = int(interface.ip) + step
        return str(interface.ip + step) if int(first) <= wanted <= int(last) else None

    return query


def _peer(interface: Interface, value: Any) -> Any:
    count = interface.network.num_addresses
    if count == 2:
        return str(ipaddress.ip_address(int(interface.ip) ^ 1))
    if count == 4 and int(interface.ip) % 4 in (1, 2):
        return str(ipaddress.ip_address(int(interface.ip) ^ 3))
    raise ValueError("Not a point-to-point network")


def _pair(left: Callable[[Interface], Any], right: Callable[[Interface], Any]) -> Query:
    def query(interface: Interface, value: Any) -> Any:
        return None if is_single(interface) else f"{left(interface)} {right(interface)}"

    return query


def _wrapped(interface: Interface, value: Any) -> Any:
    if interface.version == 4:
        return itself(interface, value)
    return f"[{interface.ip}]" + ("" if is_single(interface) else f"/{interface.network.prefixlen}")


def _six_to_four(interface: Interface, value: Any) -> Any:
    if interface.version == 6:
        return str(interface) if getattr(interface.ip, "sixtofour", None) else None
    if not interface.ip.is_global:
        return None
    number = int(interface.ip)
    return f"2002:{number >> 16:04x}:{number & 0xFFFF:04x}::1/48"


def _public(interface: Interface) -> bool:
    address = interface.ip
    special = address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved
    return not (special or address.is_private or address.is_unspecified)


def _mask(interface: Interface) -> Any:
    return interface.network.netmask


def _wildcard(interface: Interface) -> Any:
    return interface.network.hostmask


def _ip(interface: Interface) -> Any:
    return interface.ip


def _network(interface: Interface) -> Any:
    return interface.network.network_address


QUERIES: dict[str, Query] = {
    "": itself,
    "6to4": _six_to_four,
    "address": _address,
    "address/prefix": _with_prefix,
    "bool": lambda interface, value: True,
    "broadcast": _broadcast,
    "cidr": lambda interface, value: str(interface),
    "first_usable": _usable(0),
    "gateway": _with_prefix,
    "gw": _with_prefix,
    "host": _host,
    "host/prefix": _with_prefix,
    "hostmask": lambda interface, value: str(_wildcard(interface)),
    "hostnet": _with_prefix,
    "int": _number,
    "ip": _address,
    "ip/prefix": _with_prefix,
    "ip_netmask": _pair(_ip, _mask),
    "ip_wildcard": _pair(_ip, _wildcard),
    "ipv4": _kept(lambda interface: interface.version == 4),
    "ipv6": _kept(lambda interface: interface.version == 6),
    "last_usable": _usable(1),
    "link-local": _kept(lambda interface: interface.ip.is_link_local),
    "lo": _kept(lambda interface: interface.ip.is_loopback),
    "loopback": _kept(lambda interface: interface.ip.is_loopback),
    "multicast": _kept(lambda interface: interface.ip.is_multicast),
    "net": _net,
    "netmask": lambda interface, value: str(_mask(interface)),
    "network": lambda interface, value: str(_network(interface)),
    "network/prefix": lambda interface, value: str(interface.network),
    "network_id": lambda interface, value: str(_network(interface)),
    "network_netmask": _pair(_network, _mask),
    "network_wildcard": _pair(_network, _wildcard),
    "next_usable": _neighbour(1),
    "peer": _peer,
    "prefix": lambda interface, value: interface.network.prefixlen,
    "previous_usable": _neighbour(-1),
    "private": _kept(lambda interface: interface.ip.is_private),
    "public": _kept(_public),
    "range_usable": _range,
    "revdns": lambda interface, value: interface.ip.reverse_pointer + ".",
    "router": _with_prefix,
    "size": lambda interface, value: interface.network.num_addresses,
    "size_usable": _size_usable,
    "subnet": lambda interface, value: str(interface.network),
    "type": lambda interface, value: "network" if is_network(interface) else "address",
    "unicast": _kept(lambda interface: not interface.ip.is_multicast),
    "v4": _kept(lambda interface: interface.version == 4),
    "v6": _kept(lambda interface: interface.version == 6),
    "version": lambda interface, value: interface.version,
    "wildcard": lambda interface, value: str(_wildcard(interface)),
    "wrap": _wrapped,
}
