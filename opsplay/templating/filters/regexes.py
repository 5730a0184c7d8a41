"""Filters with regular expressions; `patterns` bounds their time."""

from __future__ import annotations

import re
from typing import Any

from opsplay.templating import patterns
from opsplay.templating.texts import to_text

POSIX_BASIC = re.compile(r"([].[^$*\\])")


def regex_escape(value: Any, re_type: str = "python") -> str:
    """Escapes the characters that mean something in a regular expression."""
    if re_type == "python":
        return re.escape(to_text(value))
    if re_type == "posix_basic":
        return POSIX_BASIC.sub(r"\\\1", to_text(value))
    if re_type == "posix_extended":
        raise ValueError(f"Regex type ({re_type}) not yet implemented")
    raise ValueError(f"Invalid regex type ({re_type})")


def regex_search(value: Any, regex: Any, *groups: str, ignorecase: bool = False, multiline: bool = False) -> Any:
    r"""What the expression finds first, or none; with `\1` or `\g<name>` a list of those groups."""
    wanted = [_group(group) for group in groups]
    found = patterns.search(to_text(regex), to_text(value), patterns.flags(ignorecase, multiline))
    if found is None:
        return None
    if not wanted:
        return found.groups[0]
    return [found.named[group] if isinstance(group, str) else found.groups[group] for group in wanted]


def _group(text: Any) -> int | str:
    word = to_text(text)
    named = re.match(r"\\g<(\S+)>", word)
    if named:
        return named[1]
    numbered = re.match(r"\\(\d+)", word)
    if numbered:
        return int(numbered[1])
    raise ValueError("Unknown argument")


def regex_findall(value: Any, regex: Any, multiline: bool = False, ignorecase: bool = False) -> list[Any]:
    """All that the expression finds, as a list."""
    return patterns.find_all(to_text(regex), to_text(value), patterns.flags(ignorecase, multiline))


def regex_replace(
    value: Any = "",
    pattern: Any = "",
    replacement: Any = "",
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
    mandatory_count: int = 0,
) -> str:
    """The text with what the expression finds replaced."""
    text, times = patterns.replace(
        to_text(pattern), to_text(value), to_text(replacement), patterns.flags(ignorecase, multiline), count
    )
    if mandatory_count and times != mandatory_count:
        raise ValueError(f"'{pattern}' should match {mandatory_count} times, but matches {times} times in '{value}'")
    return text


FILTERS = {
    "regex_escape": regex_escape,
    "regex_findall": regex_findall,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
}
