"""The JSON summary: one versioned shape, described in summary.schema.json and docs/reference/summary.md."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.events import HandlerPending
from opsplay.report.run_stats import maintenance
from opsplay.report.task_records import TaskResult

if TYPE_CHECKING:
    from opsplay.report.summary import HostSummary, RunSummary

SCHEMA_VERSION = 1


def summary_json(summary: RunSummary) -> dict[str, Any]:
    coverage = summary.coverage
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run_header(summary),
        "verdict": summary.verdict,
        "totals": summary.totals.as_json(),
        "hosts": {name: _host(host) for name, host in summary.hosts.items()},
        "changes": [_change(result) for result in summary.changes],
        "failures": [_failure(result) for result in summary.failures],
        "verdicts": [plain(verdict.as_json()) for verdict in summary.verdicts],
        "maintenance": plain(maintenance(summary.stats)),
        "stats": plain(summary.stats.as_json()),
        "slowest_tasks": [timing.as_json() for timing in summary.slowest()],
        "tasks": _tasks(summary),
        "coverage": coverage.as_json() if coverage else None,
        "pending_handlers": [_pending(event) for event in summary.pending.kept.values()],
        "notices": [
            {"level": n.level, "message": n.message, "where": n.where, "host": n.host} for n in summary.notices
        ],
    }


def summary_text(summary: RunSummary) -> str:
    return json.dumps(summary_json(summary), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the summary."""
    text = (Path(__file__).parent / "summary.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def run_header(summary: RunSummary) -> dict[str, Any]:
    start, end = summary.start, summary.end
    return {
        "id": start.run_id if start else "",
        "operator": start.operator if start else "",
        "controller": start.controller if start else "",
        "revision": start.revision if start else "",
        "version": start.version if start else "",
        "playbooks": list(start.playbooks) if start else [],
        "inventory": list(start.inventory) if start else [],
        "command": list(start.command) if start else [],
        "check": bool(start and start.check),
        "diff": bool(start and start.diff),
        "started": iso(summary.started),
        "ended": iso(end.at) if end else None,
        "duration": round(summary.duration, 3),
        "outcome": summary.outcome,
        "exit_code": end.exit_code if end else None,
        "error": end.error if end else "",
    }


def iso(at: float) -> str:
    """UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """Only what JSON knows: other types become text, NaN and infinity null, keys text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return str(value).encode("utf-8", "replace").decode()


def _host(host: HostSummary) -> dict[str, Any]:
    counts = host.counts.as_json() | {"status": host.counts.status, "seconds": round(host.seconds, 4)}
    return counts | {"facts": plain(host.facts)}


def _change(result: TaskResult) -> dict[str, Any]:
    return result.task.as_json() | {"host": result.host, "diff": plain(result.diff)}


def _failure(result: TaskResult) -> dict[str, Any]:
    return result.task.as_json() | {
        "host": result.host,
        "status": result.status,
        "ignored": result.ignored,
        "rescued": result.rescued,
        "message": plain(result.message),
    }


def _pending(event: HandlerPending) -> dict[str, Any]:
    names = ("host", "handler", "play", "playbook", "run_id")
    return {name: plain(getattr(event, name)) for name in names} | {"since": iso(event.since)}


def _tasks(summary: RunSummary) -> list[dict[str, Any]]:
    """Every task that ran, with each host's outcome and seconds."""
    rows: dict[str, dict[str, Any]] = {}
    for result in summary.results:
        task = result.task
        row = rows.setdefault(task.task_id, {"play": _play(summary, task.play), **task.as_json(), "results": {}})
        row["results"][result.host] = {
            "outcome": result.outcome, "changed": result.changed,
            "started": iso(result.started), "duration": round(result.duration, 4),
        }  # fmt: skip
    return list(rows.values())


def _play(summary: RunSummary, index: int) -> str:
    return summary.plays[index].play if index < len(summary.plays) else ""
