"""What a result says in one line: the reason of a failure, the text that is safe to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 2000
_UNSAFE = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), 127, *range(128, 160)) if code not in (9, 10)}
_UNSAFE |= {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def printable(text: str) -> str:
    """Text that cannot steer a terminal: no control characters but tab and newline, no bidirectional overrides."""
    return text if text.isascii() and text.isprintable() else text.replace("\r\n", "\n").translate(_UNSAFE)


def failure_message(result: Mapping[str, Any]) -> str:
    """Why a task failed: its msg, the first failed items, the end of stderr."""
    parts = [str(result.get("msg") or result.get("exception") or "").strip().removeprefix("Task failed: ")]
    items = [item for item in _items(result) if item.get("failed") or item.get("unreachable")]
    parts += [_item_message(item) for item in items[:3]]
    if len(items) > 3:
        parts.append(f"and {len(items) - 3} more items")
    parts.append(_tail(result))
    text = "\n".join(part for part in parts if part) or "no message"
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def _items(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = result.get("results")
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _item_message(item: Mapping[str, Any]) -> str:
    label = item.get("_ansible_item_label", item.get("item", ""))
    return f"({label}) {item.get('msg') or 'failed'}".strip() + (f": {_tail(item)}" if _tail(item) else "")


def _tail(result: Mapping[str, Any]) -> str:
    """The last lines of stderr (or stdout) of a command that failed."""
    if not result.get("rc"):
        return ""
    text = str(result.get("stderr") or result.get("stdout") or "").strip()
    lines = [] if text and text in str(result.get("msg", "")) else text.splitlines()[-3:]
    return "\n".join(lines)
