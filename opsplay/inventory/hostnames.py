"""Host names: which are safe to hand to ssh, how `name:port` splits, and what `web[01:20]` stands for."""

from __future__ import annotations

import re
from string import ascii_letters

from opsplay.errors import OpsError, Where

MOST_HOSTS = 1_000_000
_UNSAFE = re.compile(r"""[\s;$`()|&<>"'\\\x00-\x1f\x7f{}*?!\[\]]""")
_RANGE = re.compile(r"\[([^\[\]]*:[^\[\]]*)\]")
_HOST_PORT = re.compile(r"(?P<host>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>\d{1,5})$")
_BRACKETED = re.compile(r"\[(?P<host>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\](?::(?P<port>\d{1,5}))?$")


class BadRange(ValueError):
    """A range that means nothing; the message says why."""


def check_host_name(name: str, where: Where | None) -> str:
    """The name itself. Refuses what a shell or an option parser would take for more than a name."""
    if not name:
        raise _bad_name("a host needs a name", where, 1)
    if name.startswith("-"):
        message = f'a host name cannot start with "-": ssh would read {name[:40]!r} as an option'
        raise _bad_name(message, where, len(name))
    unsafe = _UNSAFE.search(name)
    if unsafe:
        char = unsafe.group()
        place = where and Where(where.path, where.line, where.column + unsafe.start() if where.column else 0)
        raise _bad_name(f"a host name cannot hold {_spoken(char)}", place, 1)
    return name


def _spoken(char: str) -> str:
    names = {" ": "a space", "\t": "a tab", "\n": "a line break", "\r": "a carriage return", "\x00": "a NUL"}
    return names.get(char) or (f'"{char}"' if char.isprintable() else f"the character U+{ord(char):04X}")


def _bad_name(message: str, where: Where | None, width: int) -> OpsError:
    return OpsError(
        "inventory-bad-host-name",
        message,
        where,
        "Give the host a plain name (letters, digits, dots, dashes) and its address in ansible_host.",
        width=width,
    )


def split_port(text: str) -> tuple[str, int | None]:
    """A host (ranges and IPv6 allowed) and the port after it: `web1:2222`, `[::1]:22`, `web[1:3]:2222`."""
    bracketed = _BRACKETED.match(text)
    if bracketed and bracketed["host"].count(":") > 1:
        return bracketed["host"], int(bracketed["port"]) if bracketed["port"] else None
    found = _HOST_PORT.match(text)
    if found and not is_ipv6(text):
        return found["host"], int(found["port"])
    return text, None


def is_ipv6(text: str) -> bool:
    if text.count(":") < 2:
        return False
    from ipaddress import IPv6Address

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def expand_host(text: str, where: Where | None = None) -> tuple[list[str], int | None]:
    """The host names that an inventory entry stands for, checked, and their port."""
    base, port = split_port(text)
    if "[" not in base:
        return [check_host_name(base, where)], port
    try:
        names = expand_ranges(base)
    except BadRange as error:
        raise OpsError(
            "inventory-bad-range",
            str(error),
            where,
            "Write [begin:end] or [begin:end:step]: web[01:20], db[a:f], web[1:9:2].",
            width=len(text),
        ) from None
    check_host_name(names[0] if names else base, where)
    return names, port


def expand_ranges(text: str) -> list[str]:
    """Every name of `web[01:20:2].[a:c]`, first range slowest."""
    names = [""]
    position = 0
    for found in _RANGE.finditer(text):
        items = _range_items(found[1])
        if len(names) * len(items) > MOST_HOSTS:
            raise BadRange(f"the range stands for more than {MOST_HOSTS:,} hosts")
        literal = text[position : found.start()]
        names = [f"{name}{literal}{item}" for name in names for item in items]
        position = found.end()
    rest = text[position:]
    if "[" in rest or "]" in rest:
        raise BadRange("a bracket that is no range")
    return [name + rest for name in names]


def _range_items(text: str) -> list[str]:
    parts = text.split(":")
    if len(parts) > 3:
        raise BadRange("a range is [begin:end] or [begin:end:step]")
    begin, end = parts[0] or "0", parts[1]
    step = parts[2] if len(parts) == 3 else "1"
    if not end:
        raise BadRange("a range needs an end")
    if not step.isdecimal() or int(step) < 1:
        raise BadRange("a range's step is a number above 0")
    if len(begin) == 1 and begin in ascii_letters:
        return _letters(begin, end, int(step))
    return _numbers(begin, end, int(step))


def _letters(begin: str, end: str, step: int) -> list[str]:
    if len(end) != 1 or end not in ascii_letters:
        raise BadRange(f'"{begin}" is a letter and "{end}" is not')
    first, last = ascii_letters.index(begin), ascii_letters.index(end)
    if first > last:
        raise BadRange(f'the range ends before it begins: "{begin}" comes after "{end}"')
    return list(ascii_letters[first : last + 1 : step])


def _numbers(begin: str, end: str, step: int) -> list[str]:
    if not (begin.isdecimal() and end.isdecimal() and len(end) < 10 and len(begin) < 20):
        raise BadRange(f'"{begin}:{end}" is neither two numbers nor two letters')
    padded = len(begin) > 1 and begin.startswith("0")
    if padded and len(begin) != len(end):
        raise BadRange("a range with leading zeros needs both ends of one length")
    first, last = int(begin), int(end)
    if first > last:
        raise BadRange(f"the range ends before it begins: {begin} is more than {end}")
    if (last - first) // step >= MOST_HOSTS:
        raise BadRange(f"the range stands for more than {MOST_HOSTS:,} hosts")
    width = len(begin) if padded else 0
    return [str(number).zfill(width) for number in range(first, last + 1, step)]
