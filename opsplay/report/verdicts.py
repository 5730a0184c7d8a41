"""Verdicts: what checks judged, in three levels, and the one word over a whole run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from opsplay.lazy_dataclass import dataclass

LEVELS = ("ok", "warn", "crit")
_ALIASES = {
    "pass": "ok", "passed": "ok", "normal": "ok", "healthy": "ok", "true": "ok",
    "warning": "warn", "unknown": "warn", "review": "warn", "skipped": "warn",
    "critical": "crit", "fail": "crit", "failed": "crit", "error": "crit", "down": "crit", "false": "crit",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judged check. `value` and `threshold` are what was compared, as the check wrote them."""

    check: str
    level: str
    message: str = ""
    host: str = ""
    value: Any = None
    threshold: Any = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def level_of(word: Any) -> str:
    """The level that a word means. One that nobody knows is a warning: a typo must not pass as ok."""
    text = str(word).strip().lower()
    return text if text in LEVELS else _ALIASES.get(text, "warn")


def worst(levels: Iterable[str]) -> str:
    return max(levels, key=LEVELS.index, default="ok")


def verdicts_from(data: Any, host: str) -> list[Verdict]:
    """The verdicts in a `verdicts` value: a list of mappings, or a mapping of check to level or to details."""
    if isinstance(data, Mapping):
        return [_verdict({"check": name, **_details(value)}, host) for name, value in data.items()]
    if isinstance(data, list):
        return [_verdict(entry, host) for entry in data if isinstance(entry, Mapping)]
    return []


def _details(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {"level": value}


def _verdict(entry: Mapping[str, Any], host: str) -> Verdict:
    return Verdict(
        check=str(entry.get("check") or entry.get("name") or "check"),
        level=level_of(entry.get("level", "unknown")),
        message=str(entry.get("message") or entry.get("msg") or ""),
        host=str(entry.get("host") or host),
        value=entry.get("value"),
        threshold=entry.get("threshold"),
    )
