"""Truth: the words that Ansible takes for yes and for no, wherever a text is read as a boolean."""

from __future__ import annotations

TRUE = frozenset({"y", "yes", "on", "1", "true", "t"})
FALSE = frozenset({"n", "no", "off", "0", "false", "f"})


def truth(value: object) -> bool | None:
    """The value as a boolean; None where it is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return bool(value) if value in (0, 1) else None
    word = (value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)).lower().strip()
    return True if word in TRUE else False if word in FALSE else None


def is_true(value: object) -> bool:
    return truth(value) is True
