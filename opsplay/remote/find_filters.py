"""The filters of find: age, size, kind and mode of one file."""

import re
import stat

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Optional

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
KINDS = {"file": stat.S_ISREG, "directory": stat.S_ISDIR, "link": stat.S_ISLNK}


def seconds_of(text: "Any") -> "Optional[int]":
    """`-2d` is -172800; None where no age was asked for."""
    return _scaled(text, r"^(-?\d+)(s|m|h|d|w)?$", SECONDS, "age")


def size_of(text: "Any") -> "Optional[int]":
    return _scaled(text, r"^(-?\d+)(b|k|m|g|t)?$", BYTES, "size")


def _scaled(text: "Any", pattern: "str", units: "Any", what: "str") -> "Optional[int]":
    if text is None:
        return None
    match = re.match(pattern, str(text).strip().lower())
    if not match:
        raise ModuleFailure("%s cannot be read: %s" % (what, text))
    return int(match.group(1)) * int(units[match.group(2) or ""])


def kind_matches(found: "os.stat_result", kind: "str") -> "bool":
    return kind == "any" or KINDS[kind](found.st_mode)


def age_matches(found: "os.stat_result", age: "Optional[int]", stamp: "str", now: "float") -> "bool":
    if age is None:
        return True
    passed = now - getattr(found, "st_" + stamp)
    return bool(passed >= age if age >= 0 else passed <= -age)


def size_matches(found: "os.stat_result", size: "Optional[int]", kind: "str") -> "bool":
    """Only files have a size that says something."""
    if size is None or kind == "directory" or (kind == "any" and not stat.S_ISREG(found.st_mode)):
        return True
    return found.st_size >= size if size >= 0 else found.st_size <= -size


def mode_matches(found: "os.stat_result", wanted: "Any", exact: "bool") -> "bool":
    if wanted is None:
        return True
    bits = stat.S_IMODE(found.st_mode)
    mode = mode_bits(wanted)
    return bits == mode if exact else bits & mode == mode


def mode_bits(wanted: "Any") -> "int":
    """Octal (`"0644"`, 420) or symbolic (`u=rw,g=r`), the latter from nothing."""
    if isinstance(wanted, int):
        return wanted
    if re.match(r"^(0o)?[0-7]+$", wanted):
        return int(wanted.replace("0o", ""), 8)
    bits = 0
    for clause in wanted.split(","):
        match = re.match(r"^([ugoa]*)[=+]([rwxst]*)$", clause.strip())
        if not match:
            raise ModuleFailure("mode cannot be read: %s" % wanted)
        bits |= _clause_bits(match.group(1) or "a", match.group(2))
    return bits


def _clause_bits(who: "str", permissions: "str") -> "int":
    bits = 0
    for number, owner in enumerate("ogu"):
        if owner in who or "a" in who:
            bits |= sum({"r": 4, "w": 2, "x": 1}.get(letter, 0) for letter in permissions) << (3 * number)
    if "s" in permissions:
        bits |= (stat.S_ISUID if "u" in who or "a" in who else 0) | (stat.S_ISGID if "g" in who or "a" in who else 0)
    return bits | (stat.S_ISVTX if "t" in permissions else 0)
