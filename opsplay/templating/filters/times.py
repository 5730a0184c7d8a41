"""Filters between times and text."""

from __future__ import annotations

import datetime
import time
from typing import Any

from opsplay.templating.budget import check_width


def strftime(string_format: str, second: Any = None, utc: bool = False) -> str:
    """The time, now or of the given epoch seconds, in a format of strftime."""
    check_width(len(string_format))
    clock = time.gmtime if utc else time.localtime
    if second is not None:
        try:
            second = float(second)
        except (TypeError, ValueError):
            raise ValueError(f"Invalid value for epoch value ({second})") from None
    return time.strftime(string_format, clock(second))


def to_datetime(string: str, format: str = "%Y-%m-%d %H:%M:%S") -> datetime.datetime:
    """The moment that a text says."""
    return datetime.datetime.strptime(string, format)


FILTERS = {"strftime": strftime, "to_datetime": to_datetime}
