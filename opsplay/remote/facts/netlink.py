"""Asking the kernel for links, addresses and routes over a netlink socket, as `ip` does, without starting it."""

import socket
import struct

NEW_LINK, GET_LINK, NEW_ADDRESS, GET_ADDRESS, NEW_ROUTE, GET_ROUTE = 16, 18, 20, 22, 24, 26
REQUEST, DUMP = 1, 0x300
DONE, ERROR = 3, 2


def attributes(data):
    """{type: bytes} of a run of netlink attributes."""
    found = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4:at + length]
        at += (length + 3) & ~3
    return found


def ask(kind, payload, flags=DUMP):
    """The answer's messages as (type, body). Raises OSError where the kernel refuses."""
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    try:
        channel.settimeout(2.0)
        channel.bind((0, 0))
        channel.send(struct.pack("=IHHII", 16 + len(payload), kind, REQUEST | flags, 1, 0) + payload)
        return _receive(channel, flags == DUMP)
    finally:
        channel.close()


def _receive(channel, many):
    messages = []
    while True:
        data = channel.recv(262144)
        at = 0
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            body = data[at + 16:at + length]
            if kind == DONE:
                return messages
            if kind == ERROR:
                code = struct.unpack_from("=i", body)[0]
                raise OSError(-code, "the kernel refused to answer over netlink")
            messages.append((kind, body))
            at += (length + 3) & ~3
        if not many:
            return messages


def addresses():
    """[(family, prefix length, flags, scope, interface index, attributes)]"""
    found = []
    for kind, body in ask(GET_ADDRESS, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):
        if kind == NEW_ADDRESS:
            family, prefix, flags, scope, index = struct.unpack_from("=BBBBI", body)
            found.append((family, prefix, flags, scope, index, attributes(body[8:])))
    return found


def route_to(address):
    """(interface index, source address or None, gateway or None) of the route to that address, or None."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    destination = struct.pack("=HH", 4 + len(packed), 1) + packed
    header = struct.pack("=BBBBBBBBI", family, len(packed) * 8, 0, 0, 0, 0, 0, 0, 0)
    try:
        messages = ask(GET_ROUTE, header + destination, flags=0)
    except OSError:
        return None  # network unreachable: there is no such route
    for kind, body in messages:
        if kind == NEW_ROUTE and body[7] == 1:  # unicast; type 7 is unreachable
            found = attributes(body[12:])
            if 4 in found:
                return (struct.unpack("=I", found[4])[0], _address(family, found.get(7)), _address(family, found.get(5)))
    return None


def _address(family, packed):
    return socket.inet_ntop(family, packed) if packed else None
