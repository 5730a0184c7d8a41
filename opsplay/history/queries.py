"""Questions to the history: which runs there were, what one did, how two differ."""

from __future__ import annotations

import json
from dataclasses import field
from pathlib import Path
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.history.database import Database, Row, ask
from opsplay.history.journal import is_open
from opsplay.history.state_dir import JOURNAL
from opsplay.lazy_dataclass import dataclass
from opsplay.report.summary import RunSummary


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list, newest first. `playbook` may be the end of its path; `outcome` an outcome or a verdict."""

    host: str = ""
    playbook: str = ""
    outcome: str = ""
    since: float = 0.0
    limit: int = 20


@dataclass(slots=True)
class RunRow:
    """One line of the list."""

    run_id: str
    started: float
    duration: float
    outcome: str
    verdict: str
    check: bool
    operator: str
    playbooks: list[str]
    hosts: int = 0
    changed: int = 0
    failed: int = 0

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


_LIST = """
SELECT runs.*,
  (SELECT COUNT(*) FROM host_results h WHERE h.run_id = runs.run_id) AS hosts,
  (SELECT COALESCE(SUM(h.changed), 0) FROM host_results h WHERE h.run_id = runs.run_id) AS changed,
  (SELECT COALESCE(SUM(h.failed + h.unreachable + h.unknown), 0) FROM host_results h WHERE h.run_id = runs.run_id) AS failed
FROM runs
WHERE started >= :since
  AND (:outcome = '' OR outcome = :outcome OR verdict = :outcome)
  AND (:host = '' OR EXISTS (SELECT 1 FROM host_results h WHERE h.run_id = runs.run_id AND h.host = :host))
  AND (:playbook = '' OR EXISTS (
    SELECT 1 FROM run_playbooks p WHERE p.run_id = runs.run_id AND (p.playbook = :playbook OR p.playbook LIKE :ending ESCAPE '!')))
ORDER BY started DESC, run_id DESC
LIMIT :limit
"""


class History:
    """The database together with the journals of runs that never came to be recorded."""

    def __init__(self, state: Path, target: str | Path | None = None) -> None:
        self.state = state
        self.target = target or state / "history.sqlite3"

    def runs(self, wanted: RunFilter) -> list[RunRow]:
        def question(database: Database) -> tuple[list[RunRow], set[str]]:
            known = {row["run_id"] for row in database.query("SELECT run_id FROM runs")}
            return _recorded(database, wanted), known

        recorded, known = ask(self.target, question)
        rows = recorded + [row for row in self._unrecorded(known, wanted.host) if _matches(row, wanted)]
        return sorted(rows, key=lambda row: (row.started, row.run_id), reverse=True)[: wanted.limit]

    def _unrecorded(self, known: set[str], host: str) -> list[RunRow]:
        """Runs that are under way, and runs whose process ended without recording them."""
        rows = []
        for path in sorted((self.state / "runs").glob(f"*/{JOURNAL}"), reverse=True):
            if path.parent.name not in known:
                summary = RunSummary.from_journal(path)
                if summary.start and (not host or host in summary.hosts):
                    rows.append(row_of(summary, "running" if not summary.end and is_open(path) else summary.outcome))
        return rows

    def find(self, run_id: str) -> str:
        """The whole id for an id, its beginning, or `last`. Raises OpsError."""
        newest = [row.run_id for row in self.runs(RunFilter(limit=1_000_000))]
        if run_id in ("", "last"):
            found = newest[:1]
        else:
            found = [run_id] if run_id in newest else [name for name in newest if name.startswith(run_id)]
        if len(found) == 1:
            return found[0]
        message = (
            f"{len(found)} runs begin with {run_id!r}"
            if found
            else f"no run {run_id!r} is known"
            if newest
            else "no run is known yet"
        )
        raise OpsError("unknown-run", message, remedy="List the runs with: opsplay history list", fault=Fault.USAGE)

    def summary(self, run_id: str) -> RunSummary | None:
        """The run's whole summary, from its journal; None where the journal is gone or on another machine."""
        path = self.journal(run_id)
        return RunSummary.from_journal(path) if path.is_file() else None

    def journal(self, run_id: str) -> Path:
        return self.state / "runs" / run_id / JOURNAL

    def recorded(self, run_id: str) -> RecordedRun | None:
        """What the database has of a run."""

        def question(database: Database) -> RecordedRun | None:
            runs = database.query("SELECT * FROM runs WHERE run_id = :run", {"run": run_id})
            return _recorded_run(database, runs[0]) if runs else None

        return ask(self.target, question)


def _recorded(database: Database, wanted: RunFilter) -> list[RunRow]:
    like = wanted.playbook.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    values = {
        "since": wanted.since, "outcome": wanted.outcome, "host": wanted.host, "playbook": wanted.playbook,
        "ending": f"%/{like}", "limit": wanted.limit,
    }  # fmt: skip
    rows = database.query(_LIST, values)
    return [_row(row, _playbooks(database, row["run_id"])) for row in rows]


def _playbooks(database: Database, run_id: str) -> list[str]:
    rows = database.query("SELECT playbook FROM run_playbooks WHERE run_id = :run ORDER BY position", {"run": run_id})
    return [row["playbook"] for row in rows]


def _row(row: Row, playbooks: list[str]) -> RunRow:
    return RunRow(
        row["run_id"], row["started"], row["duration"], row["outcome"], row["verdict"], bool(row["check_mode"]), row["operator"],
        playbooks, int(row["hosts"]), int(row["changed"]), int(row["failed"]),
    )  # fmt: skip


def row_of(summary: RunSummary, outcome: str = "") -> RunRow:
    """The same line from a summary."""
    start, totals = summary.start, summary.totals
    return RunRow(
        start.run_id if start else "", summary.started, summary.duration, outcome or summary.outcome, summary.verdict, summary.check,
        start.operator if start else "", list(start.playbooks) if start else [], len(summary.hosts), totals.changed, totals.bad,
    )  # fmt: skip


def _matches(row: RunRow, wanted: RunFilter) -> bool:
    playbook = not wanted.playbook or any(
        name == wanted.playbook or name.endswith(f"/{wanted.playbook}") for name in row.playbooks
    )
    outcome = not wanted.outcome or wanted.outcome in (row.outcome, row.verdict)
    return playbook and outcome and row.started >= wanted.since


@dataclass(slots=True)
class RecordedRun:
    """A run as the database has it: what is there when its journal is gone, and what comparing needs."""

    run: Row
    playbooks: list[str]
    hosts: dict[str, Row]
    results: dict[tuple[str, str], Row]  # by (task, host)
    metrics: dict[tuple[str, str], float]  # by (host, name)
    verdicts: list[Row] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        run = dict(self.run) | {
            "command": json.loads(self.run["command"]),
            "inventory": json.loads(self.run["inventory"]),
        }
        return {
            "run": run | {"playbooks": self.playbooks},
            "hosts": list(self.hosts.values()),
            "results": list(self.results.values()),
            "metrics": [{"host": host, "name": name, "value": value} for (host, name), value in self.metrics.items()],
            "verdicts": self.verdicts,
        }


_RESULTS = """
SELECT t.play, t.role, t.task, t.module, t.place, r.host, r.outcome, r.changed, r.duration, r.message, r.diff
FROM task_results r JOIN tasks t ON t.run_id = r.run_id AND t.position = r.task
WHERE r.run_id = :run ORDER BY r.position
"""


def _recorded_run(database: Database, run: Row) -> RecordedRun:
    one = {"run": run["run_id"]}
    hosts = {
        row["host"]: row for row in database.query("SELECT * FROM host_results WHERE run_id = :run ORDER BY host", one)
    }
    results = {(_title(row), row["host"]): row for row in database.query(_RESULTS, one)}
    metrics = {
        (row["host"], row["name"]): row["value"]
        for row in database.query("SELECT * FROM metrics WHERE run_id = :run", one)
    }
    verdicts = database.query(
        "SELECT host, name, level, message FROM verdicts WHERE run_id = :run ORDER BY position", one
    )
    return RecordedRun(run, _playbooks(database, run["run_id"]), hosts, results, metrics, verdicts)


def _title(row: Row) -> str:
    return f"{row['role']} : {row['task']}" if row["role"] else str(row["task"])
