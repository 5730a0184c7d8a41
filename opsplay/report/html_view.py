"""What the HTML page shows, computed: the template only lays it out."""

from __future__ import annotations

import json
from typing import Any

from opsplay.report.machine_facts import finite
from opsplay.report.quantities import bytes_text, metric_text, metric_title, seconds_text
from opsplay.report.run_stats import how_many, maintenance
from opsplay.report.summary import HostSummary, RunSummary
from opsplay.report.task_records import ChangeGroup
from opsplay.report.text_summary import coverage_text
from opsplay.report.timeline import timeline
from opsplay.report.verdicts import level_of

WORDS = {"ok": "All is well", "warn": "Done, with warnings", "crit": "Needs attention"}
SEGMENTS = ("failed", "unreachable", "unknown", "rescued", "ignored", "changed", "ok", "skipped")
MOST_DIFF_LINES = 400  # of one change
ALL_DIFF_LINES = 8000  # of the page: a browser has to lay them out
MOST_CHANGES = 400


def page_view(summary: RunSummary) -> dict[str, Any]:
    figures = maintenance(summary.stats)
    groups = summary.change_groups()
    return {
        "summary": summary,
        "start": summary.start,
        "headline": headline(summary),
        "tiles": _tiles(summary, figures),
        "hosts": [_host(host) for host in summary.hosts.values()],
        "slow_host": max([host.seconds for host in summary.hosts.values()], default=1.0) or 1.0,
        "verdicts": summary.verdicts,
        "failures": summary.failure_groups(),
        "coverage": coverage_text(summary),
        "pending": summary.pending.grouped(),
        "all_handled": not summary.totals.bad,
        "changes": _changes(groups),
        "more_changes": max(0, len(groups) - MOST_CHANGES),
        "postgres": [_postgres(entry) for entry in figures["postgres"]],
        "backups": [_backup(row) for row in figures["backups"]],
        "packages": figures["packages_updated"],
        "logs": figures["logs_rotated"],
        "timeline": timeline(summary.results, summary.started, summary.duration),
        "slowest": summary.slowest(),
        "machines": [host for host in summary.hosts.values() if host.facts],
        "others": [(host, key, _shown(v)) for host, data in summary.stats.other().items() for key, v in data.items()],
        "notices": [notice for notice in summary.notices if notice.level != "info"],
    }


def headline(summary: RunSummary) -> str:
    if summary.outcome == "interrupted":
        return "Interrupted: the run did not finish"
    if summary.check and summary.verdict == "ok":
        return "Check only: this is what a run would do"
    return WORDS[summary.verdict]


def _tiles(summary: RunSummary, figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(figure, caption, style)"""
    counts = summary.totals
    tiles = [
        (str(len(summary.hosts)), "hosts", ""),
        (str(counts.changed), "would change" if summary.check else "changes", "changed" if counts.changed else ""),
        (str(counts.bad), "failed", "failed" if counts.bad else ""),
        (seconds_text(summary.duration), "duration", ""),
    ]
    if figures["bytes_freed"]:
        tiles.append((bytes_text(figures["bytes_freed"]), "freed", ""))
    for key, caption in (
        ("packages_updated", "packages updated"),
        ("logs_rotated", "logs rotated"),
        ("backups", "backups checked"),
    ):
        if figures[key]:
            tiles.append((str(how_many(figures[key])), caption, ""))
    return tiles


def _host(host: HostSummary) -> dict[str, Any]:
    """A row with its stacked bar: one segment for each kind of result, `ok` without what has a segment of its own."""
    counts = host.counts
    numbers = {name: getattr(counts, name) for name in SEGMENTS}
    numbers["ok"] = max(0, counts.ok - counts.changed - counts.ignored)
    whole = sum(numbers.values()) or 1
    segments, x = [], 0.0
    for name, number in numbers.items():
        width = 100 * number / whole
        if number:
            segments.append({"name": name, "number": number, "x": round(x, 3), "width": round(width, 3)})
        x += width
    return {"name": host.name, "counts": counts, "segments": segments, "seconds": host.seconds}


def _changes(groups: list[ChangeGroup]) -> list[dict[str, Any]]:
    shown, room = [], ALL_DIFF_LINES
    for group in groups[:MOST_CHANGES]:
        shown.append(_change(group, min(room, MOST_DIFF_LINES)))
        room -= len(shown[-1]["lines"])
    return shown


def _change(group: ChangeGroup, most: int) -> dict[str, Any]:
    lines = group.diff.splitlines()
    return {
        "task": group.task,
        "hosts": group.hosts,
        "lines": [(_diff_style(line), line) for line in lines[:most]],
        "hidden": max(0, len(lines) - most),
        "added": sum(line.startswith("+") and not line.startswith("+++ ") for line in lines),
        "removed": sum(line.startswith("-") and not line.startswith("--- ") for line in lines),
    }


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "head"
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "")


def _postgres(entry: dict[str, Any]) -> dict[str, Any]:
    before, after = entry["before"], entry["after"]
    rows = [_metric(name, before.get(name), after.get(name)) for name in {**before, **after}]
    return {"host": entry["host"], "database": entry["database"], "rows": rows}


def _metric(name: str, before: float | None, after: float | None) -> dict[str, Any]:
    """One line of the before/after chart; widths in percent of the larger value."""
    top = max(abs(before or 0), abs(after or 0)) or 1
    return {
        "name": metric_title(name),
        "before": metric_text(name, before),
        "after": metric_text(name, after),
        "before_width": round(100 * abs(before or 0) / top, 2),
        "after_width": round(100 * abs(after or 0) / top, 2),
        "delta": _delta(before, after),
        "fell": before is not None and after is not None and after < before,
    }


def _delta(before: float | None, after: float | None) -> str:
    if before is None or after is None or before == after:
        return ""
    return f"{100 * (after - before) / before:+.0f} %".replace("-", "−") if before else "new"


def _backup(row: dict[str, Any]) -> dict[str, Any]:
    age, rpo = row.get("age_seconds"), row.get("rpo_seconds")
    restore, rto = row.get("restore_seconds"), row.get("rto_seconds")
    restored = row.get("restored")
    return {
        "level": level_of(row["level"]) if row.get("level") else "",
        "host": row["host"],
        "name": row.get("name", ""),
        "kind": row.get("kind", ""),
        "size": _number(row.get("size_bytes"), bytes_text),
        "age": _number(age, seconds_text),
        "late": finite(age) and finite(rpo) and age > rpo,
        "rpo": _number(rpo, seconds_text),
        "restored": {True: "restored", False: "not restored"}.get(restored, "") if isinstance(restored, bool) else "",
        "restore": _number(restore, seconds_text),
        "rto": _number(rto, seconds_text),
        "message": row.get("message", ""),
    }


def _number(value: Any, text: Any) -> str:
    return text(value) if finite(value) else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=1, default=str, ensure_ascii=False)
