"""Unified diff text from a result's `diff`, capped so that no host can fill a report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import unified_diff
from typing import Any

LONGEST_SIDE = 256 * 1024  # characters of one side that are compared; difflib is slow on more
LONGEST_TEXT = 64 * 1024  # characters of diff kept for one task on one host


def result_diff(result: Mapping[str, Any]) -> str:
    """All diffs of a task's result, those of loop items included."""
    parts = [diff_text(result.get("diff"))]
    items = result.get("results")
    if isinstance(items, list):
        parts += [diff_text(item.get("diff")) for item in items if isinstance(item, Mapping)]
    return _capped("".join(part for part in parts if part))


def diff_text(diff: Any) -> str:
    """Ansible's `diff` value (one or a list) as unified diff text; empty where there is nothing to show."""
    if isinstance(diff, Mapping):
        return _one(diff)
    if isinstance(diff, list):
        return "".join(_one(part) for part in diff if isinstance(part, Mapping))
    return ""


def _one(diff: Mapping[str, Any]) -> str:
    for side in ("dst", "src"):
        if diff.get(f"{side}_binary"):
            return "diff skipped: the file is binary\n"
        if diff.get(f"{side}_larger"):
            return f"diff skipped: the file is larger than {diff[f'{side}_larger']} bytes\n"
    text = _unified(diff) if "before" in diff or "after" in diff else ""
    if "prepared" in diff:
        text += _ended(str(diff["prepared"]))
    return text


def _unified(diff: Mapping[str, Any]) -> str:
    before, after = _text(diff.get("before")), _text(diff.get("after"))
    if before == after:
        return ""
    if len(before) > LONGEST_SIDE or len(after) > LONGEST_SIDE:
        return f"diff skipped: {len(before)} and {len(after)} characters\n"
    lines = unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        _header("before", diff),
        _header("after", diff),
        lineterm="\n",
    )
    return "".join(_with_ends(lines))


def _header(side: str, diff: Mapping[str, Any]) -> str:
    header = diff.get(f"{side}_header")
    return f"{side}: {header}" if header else side


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=4, sort_keys=True, default=str, ensure_ascii=False) + "\n"


def _with_ends(lines: Iterable[str]) -> Iterable[str]:
    """Every line ended, with git's note where the file's last line was not."""
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _capped(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n... {len(text) - LONGEST_TEXT} more characters not kept\n"
