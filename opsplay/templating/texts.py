"""How values become text where a filter or a test wants one."""

from __future__ import annotations

from typing import Any


def to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "surrogateescape")
    return str(value)


def is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
