"""Tests that compare versions: loose, strict, semantic and PEP 440."""

from __future__ import annotations

import operator as operators
import re
from collections.abc import Callable
from typing import Any

from opsplay.templating.texts import to_text

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), operators.eq),
    **dict.fromkeys(("<", "lt"), operators.lt),
    **dict.fromkeys(("<=", "le"), operators.le),
    **dict.fromkeys((">", "gt"), operators.gt),
    **dict.fromkeys((">=", "ge"), operators.ge),
    **dict.fromkeys(("!=", "<>", "ne"), operators.ne),
}
LOOSE = re.compile(r"(\d+|[a-z]+|\.)", re.VERBOSE)
STRICT = re.compile(r"^(\d+)\.(\d+)(\.(\d+))?([ab](\d+))?$", re.ASCII)
SEMANTIC = re.compile(
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$",
    re.ASCII,
)


def loose(text: str) -> list[Any]:
    parts = [part for part in LOOSE.split(text) if part and part != "."]
    return [int(part) if part.isdigit() else part for part in parts]


def strict(text: str) -> tuple[Any, ...]:
    found = STRICT.match(text)
    if found is None:
        raise ValueError(f"invalid version number '{text}'")
    stage = (found[5][0], int(found[6])) if found[5] else ("z", 0)
    return (int(found[1]), int(found[2]), int(found[4] or 0), stage)


def semantic(text: str) -> tuple[Any, ...]:
    found = SEMANTIC.match(text)
    if found is None:
        raise ValueError(f"invalid semantic version '{text}'")
    numbers = tuple(int(part) for part in found.group(1, 2, 3))
    if found[4] is None:
        return (*numbers, (1,))
    before = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return (*numbers, (0, before))


def pep440(text: str) -> Any:
    from packaging.version import Version

    return Version(text)


TYPES: dict[str, Callable[[str], Any]] = {
    "loose": loose,
    "strict": strict,
    "semver": semantic,
    "semantic": semantic,
    "pep440": pep440,
}


def version(
    value: Any, version: Any, operator: str = "eq", strict: bool | None = None, version_type: Any = None
) -> bool:
    """Whether a version is as the operator says, compared with another one."""
    if strict is not None and version_type:
        raise ValueError("Cannot specify both 'strict' and 'version_type'")
    kind = version_type or ("strict" if strict else "loose")
    if kind not in TYPES:
        raise ValueError(f"Invalid version type ({kind}). Must be one of {', '.join(TYPES)}")
    if operator not in OPERATORS:
        raise ValueError(f"Invalid operator type ({operator}). Must be one of {', '.join(OPERATORS)}")
    if not to_text(value):
        raise ValueError("Input version value cannot be empty")
    if not to_text(version):
        raise ValueError("Version parameter to compare against cannot be empty")
    try:
        return OPERATORS[operator](TYPES[kind](to_text(value)), TYPES[kind](to_text(version)))
    except Exception as error:
        raise ValueError(f"Version comparison failed: {error}") from None


TESTS = {"version": version, "version_compare": version}
