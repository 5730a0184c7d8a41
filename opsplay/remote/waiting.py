"""What wait_for looks at: a file's content, a port's greeting, the connections that a port still has."""

import os
import re
import socket
import time

from opsplay.remote.spec import ModuleFailure
from opsplay.remote.text_lines import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Optional, Tuple

    from opsplay.remote.spec import Args

ACTIVE = ("ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT")
STATES = {"01": "ESTABLISHED", "02": "SYN_SENT", "03": "SYN_RECV", "04": "FIN_WAIT1", "05": "FIN_WAIT2", "06": "TIME_WAIT"}
GREETING_LIMIT = 1 << 20


class FileLook(object):
    """Is the file there, and does it hold the text?"""

    def __init__(self, path: "str", regex: "Optional[str]") -> "None":
        self.path = path
        self.regex = pattern(regex, "search_regex", re.MULTILINE)

    def look(self, left: "float") -> "Any":
        if self.regex is None:
            return os.path.exists(self.path)
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape") as handle:
                return self.regex.search(handle.read())
        except OSError:
            return None


class PortLook(object):
    """Does something listen, and does it say the text?"""

    def __init__(self, host: "str", port: "int", regex: "Optional[str]") -> "None":
        self.place = (host, port)
        self.regex = pattern(regex, "search_regex", re.MULTILINE)

    def look(self, left: "float") -> "Any":
        try:
            connection = socket.create_connection(self.place, left)
        except OSError:
            return None
        try:
            return True if self.regex is None else self._heard(connection, time.time() + left)
        except OSError:
            return None
        finally:
            connection.close()

    def _heard(self, connection: "socket.socket", until: "float") -> "Any":
        said = b""
        while time.time() < until and len(said) < GREETING_LIMIT:
            connection.settimeout(max(0.1, until - time.time()))
            piece = connection.recv(4096)
            if not piece:
                return None
            said += piece
            found = self.regex.search(said.decode("utf-8", "replace")) if self.regex else None
            if found:
                return found
        return None

    def closed(self, left: "float") -> "bool":
        try:
            socket.create_connection(self.place, left).close()
        except OSError:
            return True
        return False


class Drained(object):
    """No connection of the port is active any more, by /proc/net/tcp and tcp6."""

    def __init__(self, args: "Args") -> "None":
        if not os.path.exists("/proc/net/tcp"):
            raise ModuleFailure("state=drained needs /proc/net/tcp, which this host does not have")
        self.port = args.port
        unknown = [state for state in args.active_connection_states if state not in STATES.values()]
        if unknown:
            raise ModuleFailure("unknown active_connection_state (%s) defined" % ", ".join(unknown), elapsed=0)
        self.states = set(args.active_connection_states)
        self.local = _addresses(args.host)
        self.excluded = set().union(*[_addresses(host) for host in args.exclude_hosts or ()])

    def look(self, left: "float") -> "bool":
        return not any(self._active(*connection) for connection in _connections())

    def _active(self, state: "str", local: "str", port: "int", remote: "str") -> "bool":
        return (port == self.port and state in self.states and remote not in self.excluded
                and (local in self.local or bool(self.local & {"0.0.0.0", "::"})))


def _addresses(host: "str") -> "set[str]":
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise ModuleFailure("cannot resolve %s: %s" % (host, error), elapsed=0)


def _connections() -> "Iterator[Tuple[str, str, int, str]]":
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as table:
                rows = [line.split() for line in table][1:]
        except OSError:
            continue
        for row in rows:
            (local, port), (remote, _) = _address(row[1]), _address(row[2])
            yield STATES.get(row[3], ""), local, port, remote


def _address(text: "str") -> "Tuple[str, int]":
    """`0100007F:1F90` is 127.0.0.1:8080; the kernel writes each 32-bit word in the host's byte order."""
    packed, _, port = text.partition(":")
    words = [bytes.fromhex(packed[at:at + 8])[::-1] for at in range(0, len(packed), 8)]
    raw = b"".join(words)
    if raw[:12] == b"\0" * 10 + b"\xff\xff":
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw), int(port, 16)
