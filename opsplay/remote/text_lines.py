"""Text files as lines: bytes that are not UTF-8 survive, and only a newline ends a line."""

import re

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional


def decoded(data: "bytes", encoding: "str" = "utf-8") -> "str":
    return data.decode(encoding, "surrogateescape")


def encoded(text: "str", encoding: "str" = "utf-8") -> "bytes":
    return text.encode(encoding, "surrogateescape")


def split_lines(text: "str") -> "List[str]":
    """The lines with their ends. Unlike str.splitlines, form feeds and other Unicode separators end nothing."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def without_end(line: "str") -> "str":
    return line.rstrip("\r\n")


def ended(lines: "List[str]") -> "List[str]":
    """The lines, the last one with a newline."""
    return lines[:-1] + [lines[-1] + "\n"] if lines and not lines[-1].endswith("\n") else lines


def pattern(text: "Optional[str]", what: "str", flags: "int" = 0) -> "Any":
    """A compiled regular expression, or a failure that says which argument holds a bad one."""
    if text is None:
        return None
    try:
        return re.compile(text, flags)
    except re.error as error:
        raise ModuleFailure("%s is not a regular expression: %s: %s" % (what, error, text))


def printable(data: "Optional[bytes]", limit: "int" = 1 << 20) -> "str":
    """File content as a diff shows it: nothing for binary or very large content."""
    if data is None or len(data) > limit or b"\0" in data:
        return ""
    return data.decode("utf-8", "replace")
