"""Filters of community.general between durations: `1h 30m` to any unit."""

from __future__ import annotations

import re
from typing import Any

from opsplay.templating.texts import to_text

UNITS = {
    "ms": 1, "millisecond": 1, "milliseconds": 1, "msecs": 1, "msec": 1, "s": 1000, "sec": 1000, "secs": 1000,
    "second": 1000, "seconds": 1000, "m": 60_000, "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000,
    "h": 3_600_000, "hour": 3_600_000, "hours": 3_600_000, "d": 86_400_000, "day": 86_400_000, "days": 86_400_000,
    "w": 604_800_000, "week": 604_800_000, "weeks": 604_800_000, "mo": 2_592_000_000, "month": 2_592_000_000,
    "months": 2_592_000_000, "y": 31_536_000_000, "year": 31_536_000_000, "years": 31_536_000_000,
}  # fmt: skip
PART = re.compile(r"^(-?\d+)([a-z]+)$")


def to_time_unit(value: Any, unit: str = "ms", year: float = 365, month: float = 30) -> float:
    """A duration in a unit."""
    units = {**UNITS, **dict.fromkeys(("y", "year", "years"), year * 86_400_000)}
    units |= dict.fromkeys(("mo", "month", "months"), month * 86_400_000)
    name = unit.rstrip("s") if unit not in units else unit
    if name not in units:
        raise ValueError(f"to_time_unit() can not convert to the following unit: {unit}.")
    total = 0.0
    for part in to_text(value).split():
        found = PART.match(part.lower())
        if found is None or found[2] not in units:
            raise ValueError(f"to_time_unit() can not interpret following string: {value}")
        total += int(found[1]) * units[found[2]]
    return round(total / units[name], 12)


def _to(unit: str) -> Any:
    def convert(value: Any, **options: Any) -> float:
        return to_time_unit(value, unit, **options)

    convert.__doc__ = f"A duration in {unit}."
    return convert


NAMES = ("milliseconds", "seconds", "minutes", "hours", "days", "weeks", "months", "years")
FILTERS = {"to_time_unit": to_time_unit, **{f"to_{name}": _to(name) for name in NAMES}}
