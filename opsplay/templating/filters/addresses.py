"""Filters of ansible.utils over IP and MAC addresses, by the standard library."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from opsplay.templating.networks.interfaces import Interface, nth, parse, usable
from opsplay.templating.networks.queries import QUERIES
from opsplay.templating.texts import is_list, to_text

MAC_BYTES = re.compile(r"^[0-9A-Fa-f]{12}$")


def ipaddr(value: Any, query: Any = "", version: Any = False, alias: str = "ipaddr") -> Any:
    """The address where it is valid, or what the query asks of it; a list keeps those that fit."""
    if is_list(value):
        found = [ipaddr(item, query, version, alias) for item in value]
        return [item for item in found if item not in (False, None)]
    interface = parse(value)
    if interface is None or (version and interface.version != int(version)):
        return False
    answer = _answer(interface, value, to_text(query))
    return False if answer is None else answer


def _answer(interface: Interface, value: Any, query: str) -> Any:
    if query in QUERIES:
        return QUERIES[query](interface, value)
    if re.fullmatch(r"-?\d+", query):
        address = nth(interface, int(query))
        return None if address is None else f"{address}/{interface.network.prefixlen}"
    networks = [parse(part) for part in query.split(",")]
    if any(network is None for network in networks):
        raise ValueError(f"ipaddr: unknown filter type: {query}")
    inside = any(contains(network, interface) for network in networks if network is not None)
    return QUERIES[""](interface, value) if inside else None


def contains(outer: Interface, inner: Interface) -> bool:
    return outer.version == inner.version and inner.network.subnet_of(outer.network)  # type: ignore[arg-type]


def ipv4(value: Any, query: Any = "") -> Any:
    """The same for IPv4 only."""
    return ipaddr(value, query, 4, "ipv4")


def ipv6(value: Any, query: Any = "") -> Any:
    """The same for IPv6 only."""
    return ipaddr(value, query, 6, "ipv6")


def ipwrap(value: Any, query: Any = "") -> Any:
    """IPv6 addresses in brackets; anything else as it is."""
    if is_list(value):
        return [ipwrap(item, query) for item in value]
    interface = parse(value)
    if interface is None or interface.version != 6:
        return value
    found = ipaddr(value, query)
    if not isinstance(found, str):
        return found
    address, slash, prefix = found.partition("/")
    return f"[{address}]{slash}{prefix}"


def ipmath(value: Any, amount: int) -> str:
    """The address so many further on."""
    interface = parse(value)
    if interface is None:
        raise ValueError(f"You must pass a valid IP address; {value} is invalid")
    if not isinstance(amount, int):
        raise TypeError(f"You must pass an integer for arithmetic; {amount} is not a valid integer")
    return str(interface.ip + amount)


def ipsubnet(value: Any, query: Any = "", index: Any = None) -> Any:
    """Subnets of a network: how many, one of them, or the place of one in another."""
    interface = parse(value)
    if interface is None:
        return False
    text = to_text(query)
    if not text:
        return str(interface.network)
    if text.isdigit():
        return _subnet_of_size(interface, int(text), index)
    outer = parse(text)
    if outer is None or not contains(outer, interface):
        raise ValueError(f"{value} is not in the subnet {query}")
    step = 1 << (interface.network.max_prefixlen - interface.network.prefixlen)
    return str((int(interface.network.network_address) - int(outer.network.network_address)) // step + 1)


def _subnet_of_size(interface: Interface, prefix: int, index: Any) -> Any:
    network = interface.network
    if prefix > network.max_prefixlen:
        return False
    if prefix >= network.prefixlen and not (network.num_addresses == 1 and prefix < network.max_prefixlen):
        return _part(network, prefix, index)
    supernets = [network.supernet(new_prefix=size) for size in range(prefix, network.prefixlen)]
    number = 0 if index is None else int(index)
    return str(supernets[number]) if -len(supernets) <= number < len(supernets) else False


def _part(network: Any, prefix: int, index: Any) -> Any:
    count = 1 << (prefix - network.prefixlen)
    if index is None:
        return str(count)
    number = int(index) if int(index) >= 0 else count + int(index)
    if not 0 <= number < count:
        return False
    size = 1 << (network.max_prefixlen - prefix)
    return f"{network.network_address + number * size}/{prefix}"


def nthhost(value: Any, query: Any = "") -> Any:
    """The nth address of a network."""
    interface = parse(value)
    if interface is None or to_text(query) == "":
        return False
    address = nth(interface, int(query))
    return False if address is None else str(address)


def next_nth_usable(value: Any, offset: int) -> Any:
    """The nth usable address after this one, in the same network."""
    return _moved(value, int(offset))


def previous_nth_usable(value: Any, offset: int) -> Any:
    """The nth usable address before this one."""
    return _moved(value, -int(offset))


def _moved(value: Any, offset: int) -> Any:
    interface = parse(value)
    if interface is None:
        return False
    first, last = usable(interface)
    wanted = int(interface.ip) + offset
    return str(interface.ip + offset) if int(first) <= wanted <= int(last) else False


def network_in_network(value: Any, test: Any) -> bool:
    """Whether the second network or address is inside the first."""
    outer, inner = parse(value), parse(test)
    return outer is not None and inner is not None and contains(outer, inner)


def network_in_usable(value: Any, test: Any) -> bool:
    """Whether all of the second is inside the usable addresses of the first."""
    outer, inner = parse(value), parse(test)
    if outer is None or inner is None or not contains(outer, inner):
        return False
    first, last = usable(outer)
    return int(first) <= int(inner.network[0]) and int(inner.network[-1]) <= int(last)


def reduce_on_network(value: Any, network: Any) -> list[Any]:
    """The addresses of the list that are inside the network."""
    return [item for item in value if network_in_network(network, item)]


def cidr_merge(value: Any, action: str = "merge") -> Any:
    """Networks merged into as few as possible, or the one that spans them all."""
    interfaces = [parse(item) for item in value]
    networks: list[Any] = [item.network for item in interfaces if item is not None]
    if len(networks) != len(interfaces) or not hasattr(value, "__iter__"):
        raise ValueError("cidr_merge: expected iterable of networks")
    if action == "merge":
        merged: list[str] = []
        for version in (4, 6):
            part = [network for network in networks if network.version == version]
            merged += [str(network) for network in ipaddress.collapse_addresses(part)]
        return merged
    if action != "span":
        raise ValueError(f"cidr_merge: invalid action '{action}'")
    if not networks:
        return None
    span = networks[0]
    while not all(network.subnet_of(span) for network in networks):
        span = span.supernet()
    return str(span)


def slaac(value: Any, query: Any = "") -> Any:
    """The address that a MAC address gets in an IPv6 network."""
    interface = parse(value)
    digits = _mac_digits(query)
    if interface is None or interface.version != 6 or digits is None:
        return False
    octets = [int(digits[at : at + 2], 16) for at in range(0, 12, 2)]
    identifier = [octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]]
    return str(interface.network.network_address + int.from_bytes(bytes(identifier), "big"))


def _mac_digits(value: Any) -> str | None:
    digits = re.sub(r"[:.\-]", "", to_text(value))
    return digits.lower() if MAC_BYTES.match(digits) else None


def _grouped(digits: str, size: int, separator: str) -> str:
    return separator.join(digits[at : at + size] for at in range(0, 12, size))


MAC_FORMS: dict[str, Callable[[str], Any]] = {
    "": lambda digits: _grouped(digits, 2, ":"),
    "bare": str.upper,
    "bool": lambda digits: True,
    "cisco": lambda digits: _grouped(digits, 4, "."),
    "eui48": lambda digits: _grouped(digits.upper(), 2, "-"),
    "int": lambda digits: int(digits, 16),
    "linux": lambda digits: _grouped(digits, 2, ":"),
    "pgsql": lambda digits: _grouped(digits, 6, ":"),
    "postgresql": lambda digits: _grouped(digits, 6, ":"),
    "psql": lambda digits: _grouped(digits, 6, ":"),
    "unix": lambda digits: ":".join(f"{int(part, 16):x}" for part in _grouped(digits, 2, ":").split(":")),
    "win": lambda digits: _grouped(digits.upper(), 2, "-"),
}


def hwaddr(value: Any, query: str = "", alias: str = "hwaddr") -> Any:
    """The MAC address where it is valid, in the form that the query names."""
    if query not in MAC_FORMS:
        raise ValueError(f"{alias}: unknown filter type: {query}")
    digits = _mac_digits(value)
    if digits is None:
        if not query or query == "bool":
            return False
        raise ValueError(f"{alias}: not a hardware address: {value}")
    return value if not query else MAC_FORMS[query](digits)


def macaddr(value: Any, query: str = "") -> Any:
    """The same."""
    return hwaddr(value, query, "macaddr")


FILTERS = {
    "cidr_merge": cidr_merge,
    "hwaddr": hwaddr,
    "ipaddr": ipaddr,
    "ipmath": ipmath,
    "ipsubnet": ipsubnet,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "ipwrap": ipwrap,
    "macaddr": macaddr,
    "network_in_network": network_in_network,
    "network_in_usable": network_in_usable,
    "next_nth_usable": next_nth_usable,
    "nthhost": nthhost,
    "previous_nth_usable": previous_nth_usable,
    "reduce_on_network": reduce_on_network,
    "slaac": slaac,
}
