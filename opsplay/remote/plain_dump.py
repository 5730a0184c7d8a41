"""Plain pg_dump text: what it says about itself, and a copy of it that is safe to give to psql.

psql obeys backslash commands in its input (CVE-2025-8714). The copy begins with \\restrict and a key that only we know, so
that psql itself refuses every one of them; the dump's own pair goes, and so do owners and grants, whose roles are not here.
Travels to hosts: Python 3.6 syntax.
"""

import re
import secrets

from opsplay.remote.spec import ModuleFailure

HEADER = re.compile(br"^-- PostgreSQL database (cluster )?dump\s*$", re.MULTILINE)
TRAILER = re.compile(br"^-- PostgreSQL database (cluster )?dump complete\s*$", re.MULTILINE)
COPY = re.compile(br"^COPY .* FROM stdin;\r?\n$", re.DOTALL)
OWN_RESTRICT = re.compile(br"^\\(?:un)?restrict [A-Za-z0-9]+\r?\n?$")
LEFT_OUT = re.compile(br"^(?:ALTER [A-Z ]+ .* OWNER TO .*;|GRANT .* TO .*;|REVOKE .* FROM .*;|ALTER DEFAULT PRIVILEGES .*;|SET SESSION AUTHORIZATION .*;"
                      br"|COMMENT ON EXTENSION .*;|(?:CREATE|ALTER) (?:PUBLICATION|SUBSCRIPTION) .*;|CREATE DATABASE .*;|ALTER DATABASE .*;"
                      br"|\\connect .*)\r?\n?$", re.DOTALL)
VERSION = re.compile(br"^-- Dumped (from database|by pg_dump) version (\d+)", re.MULTILINE)


def versions(head):
    """{"from database": 15, "by pg_dump": 15} by the first lines."""
    return {kind.decode(): int(number) for kind, number in VERSION.findall(head)}


def make_safe(source, target, restricted):
    """Copy the dump; returns its last bytes. Without \\restrict any backslash outside of COPY data is refused."""
    in_copy, tail, number = False, b"", 0
    if restricted:
        target.write(b"\\restrict %s\n" % secrets.token_hex(24).encode())
    for line in _lines(source):
        number += 1
        tail = (tail + line)[-4096:]
        if in_copy:
            in_copy = line.rstrip(b"\r\n") != b"\\."
        elif OWN_RESTRICT.match(line) or LEFT_OUT.match(line):
            continue
        elif not restricted and b"\\" in line:
            raise ModuleFailure("line %d holds a backslash outside of data: refused" % number)
        else:
            in_copy = COPY.match(line) is not None
        target.write(line)
    return tail


def _lines(source):
    """Lines, but never more than 64 MiB at once."""
    while True:
        line = source.readline(64 << 20)
        if not line:
            return
        yield line
