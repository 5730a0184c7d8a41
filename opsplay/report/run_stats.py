"""What roles say with `set_stats`: merged as Ansible documents it, and the documented keys in one shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsplay.report.machine_facts import finite

KNOWN = ("verdicts", "bytes_freed", "packages_updated", "postgres", "backups", "logs_rotated")


class RunStats:
    """Data of the whole run (`host` "") and of each host."""

    def __init__(self) -> None:
        self.by_host: dict[str, dict[str, Any]] = {}

    def add(self, host: str, data: Mapping[str, Any], aggregate: bool) -> None:
        kept = self.by_host.setdefault(host, {})
        for key, value in data.items():
            kept[key] = merged(kept[key], value) if aggregate and key in kept else value

    def entries(self, key: str) -> Iterator[tuple[str, Any]]:
        """(host, value) wherever `key` was set; host is empty for the whole run."""
        for host, data in self.by_host.items():
            if key in data:
                yield host, data[key]

    def other(self) -> dict[str, dict[str, Any]]:
        """What was set under keys that the summary gives no section of its own."""
        rest = {host: {k: v for k, v in data.items() if k not in KNOWN} for host, data in self.by_host.items()}
        return {host: data for host, data in rest.items() if data}

    def as_json(self) -> dict[str, Any]:
        hosts = {host: data for host, data in self.by_host.items() if host}
        return {"run": self.by_host.get("", {}), "hosts": hosts}


def merged(old: Any, new: Any) -> Any:
    """Mappings are combined, lists and texts joined, numbers added; of two kinds the new one stays."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{key: merged(old[key], value) if key in old and _both_maps(old[key], value) else value
                          for key, value in new.items()}}  # fmt: skip
    if isinstance(old, bool) or isinstance(new, bool):
        return new
    for kinds in (list, str, (int, float)):
        if isinstance(old, kinds) and isinstance(new, kinds):
            return old + new  # type: ignore[operator]
    return new


def _both_maps(old: Any, new: Any) -> bool:
    return isinstance(old, Mapping) and isinstance(new, Mapping)


def maintenance(stats: RunStats) -> dict[str, Any]:
    """The documented keys over all hosts, in the one shape that reports and the JSON summary show."""
    return {
        "bytes_freed": sum(_amount(value) for _, value in stats.entries("bytes_freed")),
        "packages_updated": _rows(stats, "packages_updated", "name"),
        "postgres": [row for host, value in stats.entries("postgres") for row in _postgres(host, value)],
        "backups": _rows(stats, "backups", "name"),
        "logs_rotated": _rows(stats, "logs_rotated", "path"),
    }


def _amount(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_amount(part) for part in value.values())
    return int(value) if finite(value) else 0


def how_many(rows: list[dict[str, Any]]) -> int:
    """Rows stand for one thing each, or for their `count`."""
    return sum(int(row["count"]) if finite(row.get("count")) else 1 for row in rows)


def _rows(stats: RunStats, key: str, label: str) -> list[dict[str, Any]]:
    """Lists of names, lists of mappings and mappings of name to details all become rows with `host` and `label`."""
    return [row for host, value in stats.entries(key) for row in _rows_of(host, value, label)]


def _rows_of(host: str, value: Any, label: str) -> list[dict[str, Any]]:
    if isinstance(value, Mapping):
        return [
            _row(host, {label: name, **(dict(v) if isinstance(v, Mapping) else {"value": v})})
            for name, v in value.items()
        ]
    if isinstance(value, list):
        return [_row(host, dict(entry) if isinstance(entry, Mapping) else {label: str(entry)}) for entry in value]
    if finite(value):
        return [_row(host, {"count": value})]
    return []


def _row(host: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "host": entry.get("host") or host}


def _postgres(host: str, value: Any) -> Iterator[dict[str, Any]]:
    """{before, after} of one server, or one such pair for each database; `host` inside wins over who said it."""
    if not isinstance(value, Mapping):
        return
    if "before" in value or "after" in value:
        value = {str(value.get("database", "")): value}
    for database, pair in value.items():
        if isinstance(pair, Mapping) and ("before" in pair or "after" in pair):
            yield {
                "host": str(pair.get("host") or host),
                "database": database,
                "before": numbers(pair.get("before")),
                "after": numbers(pair.get("after")),
            }


def numbers(value: Any, prefix: str = "") -> dict[str, float]:
    """The numbers in nested mappings, by dotted names."""
    if isinstance(value, bool):
        return {prefix: int(value)} if prefix else {}
    if finite(value):
        return {prefix: value} if prefix else {}
    if not isinstance(value, Mapping):
        return {}
    found: dict[str, float] = {}
    for key, part in value.items():
        found |= numbers(part, f"{prefix}.{key}" if prefix else str(key))
    return found
