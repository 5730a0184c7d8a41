"""Values of settings, compared as the server means them: 131072 kB is 128MB, on is true."""

from __future__ import annotations

import re

MEMORY = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
TIME = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
WORDS = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def same(one: str, other: str, kind: str, unit: str | None) -> bool:
    return canonical(one, kind, unit) == canonical(other, kind, unit)


def canonical(value: str, kind: str, unit: str | None) -> object:
    text = str(value).strip()
    if kind == "bool":
        return WORDS.get(text.lower(), text.lower())
    if kind in ("integer", "real"):
        return _number(text, unit)
    return text.lower() if kind == "enum" else text


def _number(text: str, unit: str | None) -> object:
    match = re.fullmatch(r"'?([+-]?[0-9.]+(?:e[+-]?\d+)?)\s*([A-Za-z]*)'?", text)
    if not match:
        return text
    number, named = float(match[1]), match[2] or unit or ""
    block = re.fullmatch(r"(\d+)(kB|MB)", named)  # 8kB: shared_buffers counts blocks
    if block:
        return number * int(block[1]) * MEMORY[block[2]]
    return number * (MEMORY.get(named) or TIME.get(named) or 1)


def pretty(value: str, kind: str, unit: str | None) -> str:
    """As SHOW prints it: 524288 of kB is 512MB."""
    if kind not in ("integer", "real") or not unit or not re.fullmatch(r"-?\d+", value) or int(value) <= 0:
        return value
    total, scale = _number(value, unit), MEMORY if unit.endswith("B") else TIME
    for name, size in reversed(scale.items()):
        if isinstance(total, float) and total >= size and total % size == 0:
            return f"{int(total / size)}{name}"
    return value
