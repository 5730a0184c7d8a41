"""How values become text, and text becomes truth, where a filter or a test wants one."""

from __future__ import annotations

from typing import Any

TRUE_WORDS = frozenset({"y", "yes", "on", "1", "true", "t"})
FALSE_WORDS = frozenset({"n", "no", "off", "0", "false", "f"})


def to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "surrogateescape")
    return str(value)


def truth(value: Any) -> bool | None:
    """Ansible's reading of a value as a boolean; None where it is no boolean."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return bool(value) if value in (0, 1) else None
    word = to_text(value).lower().strip()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
