"""Recording a run: its summary becomes rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opsplay.history.database import Database, Row, opened
from opsplay.report.run_stats import maintenance, numbers
from opsplay.report.summary import RunSummary
from opsplay.report.task_records import TaskResult

LONGEST_DIFF = 16 * 1024
LONGEST_MESSAGE = 4000


def record(summary: RunSummary, target: str | Path) -> None:
    """Write the run to the database, in one transaction; a run recorded before is replaced. Raises HistoryFailed."""
    with opened(target) as database:
        write_run(database, summary)


def write_run(database: Database, summary: RunSummary) -> None:
    run_id = summary.start.run_id if summary.start else ""
    database.execute("DELETE FROM runs WHERE run_id = :run_id", {"run_id": run_id})
    for table, rows in tables(summary, run_id):
        if rows:
            columns = list(rows[0])
            places = ", ".join(f":{column}" for column in columns)
            database.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)


def tables(summary: RunSummary, run_id: str) -> Iterator[tuple[str, list[Row]]]:
    """(table, rows), referenced ones first."""
    yield "runs", [_run(summary, run_id)]
    playbooks = summary.start.playbooks if summary.start else ()
    yield "run_playbooks", [{"run_id": run_id, "position": n, "playbook": name} for n, name in enumerate(playbooks)]
    yield (
        "host_results",
        [
            {"run_id": run_id, "host": host.name, **host.counts.as_json(), "seconds": host.seconds}
            for host in summary.hosts.values()
        ],
    )
    positions = {task_id: number for number, task_id in enumerate(summary.tasks)}
    yield "tasks", [_task(summary, task_id, number, run_id) for task_id, number in positions.items()]
    yield (
        "task_results",
        [_result(r, number, positions[r.task.task_id], run_id) for number, r in enumerate(summary.results)],
    )
    yield "metrics", [{"run_id": run_id, **metric} for metric in metrics(summary)]
    yield (
        "verdicts",
        [
            {
                "run_id": run_id,
                "position": number,
                "host": v.host,
                "name": text(v.check),
                "level": v.level,
                "message": text(v.message),
            }
            for number, v in enumerate(summary.verdicts)
        ],
    )


def _run(summary: RunSummary, run_id: str) -> Row:
    start, end = summary.start, summary.end
    return {
        "run_id": run_id,
        "started": summary.started,
        "ended": end.at if end else None,
        "duration": summary.duration,
        "outcome": summary.outcome,
        "verdict": summary.verdict,
        "exit_code": end.exit_code if end else None,
        "operator": start.operator if start else "",
        "controller": start.controller if start else "",
        "revision": start.revision if start else "",
        "version": start.version if start else "",
        "check_mode": int(summary.check),
        "command": json.dumps(list(start.command) if start else []),
        "inventory": json.dumps(list(start.inventory) if start else []),
        "error": text(end.error if end else ""),
    }


def _task(summary: RunSummary, task_id: str, position: int, run_id: str) -> Row:
    task = summary.tasks[task_id]
    play = summary.plays[task.play].play if task.play < len(summary.plays) else ""
    return {
        "run_id": run_id, "position": position, "play": text(play), "task": text(task.name), "role": task.role, "module": task.module,
        "place": task.where, "handler": int(task.is_handler),
    }  # fmt: skip


def _result(result: TaskResult, position: int, task: int, run_id: str) -> Row:
    return {
        "run_id": run_id, "position": position, "task": task, "host": result.host, "outcome": result.outcome,
        "changed": int(result.changed), "started": result.started, "duration": result.duration,
        "message": text(result.message)[:LONGEST_MESSAGE], "diff": text(result.diff)[:LONGEST_DIFF],
    }  # fmt: skip


def metrics(summary: RunSummary) -> Iterator[Row]:
    """Every number of the facts that matter and of set_stats, so that trends can be drawn from them."""
    at = summary.end.at if summary.end else summary.last_at
    for host in summary.hosts.values():
        yield from _metrics(host.name, _fact_numbers(host.facts), at)
    for name, data in summary.stats.by_host.items():
        kept = {key: value for key, value in data.items() if key not in ("postgres", "verdicts", "backups")}
        yield from _metrics(name, {f"stats.{key}": value for key, value in numbers(kept).items()}, at)
    for entry in maintenance(summary.stats)["postgres"]:
        pair = {side: entry[side] for side in ("before", "after")}
        database = entry["database"] or "server"
        yield from _metrics(
            entry["host"], {f"postgres.{database}.{key}": value for key, value in numbers(pair).items()}, at
        )


def _fact_numbers(facts: Mapping[str, Any]) -> dict[str, float]:
    disks = {
        disk["mount"]: {k: disk[k] for k in ("total_bytes", "available_bytes", "used_percent")}
        for disk in facts.get("disks", [])
    }
    load = dict(zip(("1m", "5m", "15m"), facts.get("load", []), strict=False))
    kept = {"uptime_seconds": facts.get("uptime_seconds"), "load": load, "memory": facts.get("memory"), "disk": disks}
    return numbers(kept)


def _metrics(host: str, values: Mapping[str, float], at: float) -> Iterator[Row]:
    for name, value in values.items():
        if value == value and abs(value) != float("inf"):
            yield {"host": host, "name": text(name), "value": float(value), "at": at}


def text(value: str) -> str:
    """PostgreSQL takes no NUL and neither database takes a lone surrogate."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
