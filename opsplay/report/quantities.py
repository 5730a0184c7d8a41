"""Numbers as people read them: seconds, bytes, times, PostgreSQL metrics by the unit in their name."""

from __future__ import annotations

from datetime import datetime


def seconds_text(seconds: float) -> str:
    """0.04 s, 3.2 s, 47 s, 4 min 05 s, 3 h 07 min, 12 d 04 h"""
    if seconds < 9.995:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def bytes_text(size: float) -> str:
    """Powers of 1024, with three digits that matter."""
    sign, size = ("-" if size < 0 else ""), abs(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1000 or unit == "TiB":
            digits = 0 if unit == "B" or size >= 100 else 1
            return f"{sign}{size:.{digits}f} {unit}"
        size /= 1024
    raise AssertionError("the loop returns")


def metric_text(name: str, value: float | None) -> str:
    """A metric by the unit that its name ends in: _bytes, _seconds, _pct, _percent, _ratio."""
    if value is None:
        return ""
    last = name.rsplit(".", 1)[-1]
    if last.endswith("bytes") or last in ("size", "bloat"):
        return bytes_text(value)
    if last.endswith("seconds"):
        return seconds_text(value)
    if last.endswith(("_pct", "_percent", "percent")):
        return f"{value:.1f} %"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def metric_title(name: str) -> str:
    """`bloat.orders.size_bytes` -> `bloat / orders / size`"""
    words = name.replace("_", " ")
    for unit in (" bytes", " seconds", " pct", " percent"):
        words = words.removesuffix(unit)
    return words.replace(".", " / ")


def clock_text(at: float) -> str:
    """Local date and time with its zone's offset."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
