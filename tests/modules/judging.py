"""Compares a result with what a case expects of it, and shows a diff as text."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any


def mismatches(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Where the result is not as expected: dicts are subsets, "~regex" is searched, "<any>" and "<absent>" mean what they say."""
    if expected == "<any>":
        return []
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [line for key, value in expected.items() for line in of_key(value, actual, key, f"{where}.{key}".lstrip("."))]
    if isinstance(expected, str) and expected.startswith("~"):
        return [] if re.search(expected[1:], str(actual)) else [f"{where}: {actual!r} does not match {expected[1:]}"]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [line for number, pair in enumerate(zip(expected, actual, strict=True)) for line in mismatches(*pair, f"{where}[{number}]")]
    return [] if expected == actual else [f"{where}: {actual!r}, not {expected!r}"]


def of_key(expected: Any, actual: dict[str, Any], key: str, where: str) -> list[str]:
    if expected == "<absent>":
        return [f"{where} is there: {actual[key]!r}"] if key in actual else []
    if key not in actual:
        return [f"{where} is missing"] if expected is not None else []
    return mismatches(expected, actual[key], where)


def diff_text(diff: Any) -> str:
    """The unified diff of a result's `diff`, whatever of Ansible's forms it has."""
    lines: list[str] = []
    for part in diff if isinstance(diff, list) else [diff or {}]:
        if "prepared" in part:
            lines += part["prepared"].splitlines()
        before, after = (text_of(part.get(key)).splitlines() for key in ("before", "after"))
        lines += [line for line in difflib.unified_diff(before, after, lineterm="", n=1) if not line.startswith(("---", "+++", "@@"))]
        lines += [f"{key}={part[key]}" for key in ("src_binary", "dst_binary", "src_larger", "dst_larger") if key in part]
    return "\n".join(lines)


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, indent=1, sort_keys=True)
