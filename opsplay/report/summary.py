"""RunSummary: the events of a run folded into what stays of it; a listener, and the source of every report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import field
from pathlib import Path
from typing import Any

from opsplay.events import (
    Event,
    FactsGathered,
    HandlerNotified,
    HandlerPending,
    HandlerRan,
    HostFinished,
    Included,
    Notice,
    PlayStarted,
    RunFinished,
    RunStarted,
    StatsSet,
    TaskStarted,
    event_from_json,
)
from opsplay.lazy_dataclass import dataclass
from opsplay.report.counts import Counts, total
from opsplay.report.machine_facts import machine_facts
from opsplay.report.pending_handlers import PendingHandlers
from opsplay.report.run_stats import RunStats
from opsplay.report.task_records import (
    ChangeGroup,
    FailureGroup,
    Task,
    TaskResult,
    Timing,
    Unforeseen,
    grouped_changes,
    grouped_failures,
    grouped_unforeseen,
    result_of,
    slowest_tasks,
    task_of,
)
from opsplay.report.verdicts import Verdict, verdicts_from, worst


@dataclass(slots=True)
class HostSummary:
    """One host: its counts and the seconds that its tasks took."""

    name: str
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much a check run could foresee, in tasks on hosts. One that a known condition leaves out is foreseen.

    `skipped`: left out because of check mode, as the drop-ins do; `rest` groups what is unknown by task and reason.
    """

    predicted: int
    skipped: int
    unknown: int
    rest: tuple[Unforeseen, ...] = ()

    @property
    def tasks(self) -> int:
        return self.predicted + self.skipped + self.unknown

    @property
    def percent(self) -> int:
        """Rounded down: 100 means all."""
        return 100 * self.predicted // self.tasks if self.tasks else 100

    def as_json(self) -> dict[str, Any]:
        numbers = {"predicted": self.predicted, "skipped": self.skipped, "unknown": self.unknown}
        return {**numbers, "tasks": self.tasks, "percent": self.percent, "rest": [entry.as_json() for entry in self.rest]}


class RunSummary:
    """Call it with every event, in order; read it at any time, also of a run that never finished."""

    def __init__(self) -> None:
        self.start: RunStarted | None = None
        self.end: RunFinished | None = None
        self.last_at = 0.0
        self.plays: list[PlayStarted] = []
        self.tasks: dict[str, Task] = {}
        self.results: list[TaskResult] = []
        self._hosts: dict[str, HostSummary] = {}
        self.stats = RunStats()
        self.notices: list[Notice] = []
        self.pending = PendingHandlers()
        self._folds: dict[type[Event], Callable[[Any], None]] = {
            RunStarted: self._run_started,
            PlayStarted: self.plays.append,
            TaskStarted: self._task_started,
            HostFinished: self._host_finished,
            Included: self._included,
            FactsGathered: self._facts_gathered,
            StatsSet: self._stats_set,
            Notice: self.notices.append,
            HandlerNotified: self.pending,
            HandlerRan: self.pending,
            HandlerPending: self.pending,
            RunFinished: self._run_finished,
        }

    def __call__(self, event: Event) -> None:
        self.last_at = event.at
        fold = self._folds.get(type(event))
        if fold is not None:
            fold(event)

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> RunSummary:
        summary = cls()
        for event in events:
            summary(event)
        return summary

    @classmethod
    def from_journal(cls, path: Path) -> RunSummary:
        return cls.from_events(journal_events(path))

    # Folding

    def _run_started(self, event: RunStarted) -> None:
        self.start = event
        self.pending(event)

    def _run_finished(self, event: RunFinished) -> None:
        self.end = event

    def _task_started(self, event: TaskStarted) -> None:
        if event.task_id not in self.tasks:
            self.tasks[event.task_id] = task_of(event, max(0, len(self.plays) - 1))

    def _host_finished(self, event: HostFinished) -> None:
        task = self.tasks.get(event.task_id) or self._unannounced(event.task_id)
        host = self._host(event.host)
        host.counts.add(event)
        host.seconds += max(0.0, event.duration)
        self.results.append(result_of(event, task))

    def _included(self, event: Included) -> None:
        for host in event.hosts:
            self._host(host).counts.add_included()

    def _unannounced(self, task_id: str) -> Task:
        return self.tasks.setdefault(task_id, Task(task_id, task_id, "", "", "", False, max(0, len(self.plays) - 1)))

    def _host(self, name: str) -> HostSummary:
        return self._hosts.get(name) or self._hosts.setdefault(name, HostSummary(name))

    def _facts_gathered(self, event: FactsGathered) -> None:
        self._host(event.host).facts.update(machine_facts(event.facts))

    def _stats_set(self, event: StatsSet) -> None:
        self.stats.add(event.host, event.data, event.aggregate)

    # Reading

    @property
    def hosts(self) -> dict[str, HostSummary]:
        """Hosts with results or facts, in the order of the inventory."""
        order = {name: number for number, name in enumerate(self.start.hosts if self.start else ())}
        return dict(sorted(self._hosts.items(), key=lambda item: order.get(item[0], len(order))))

    @property
    def check(self) -> bool:
        return self.start is not None and self.start.check

    @property
    def started(self) -> float:
        return self.start.at if self.start else (self.results[0].started if self.results else self.last_at)

    @property
    def duration(self) -> float:
        """Seconds by the monotonic clock, or what the journal's times say where the run never finished."""
        return self.end.duration if self.end else max(0.0, self.last_at - self.started)

    @property
    def outcome(self) -> str:
        return self.end.outcome if self.end else "interrupted"

    @property
    def totals(self) -> Counts:
        return total([host.counts for host in self._hosts.values()])

    @property
    def changes(self) -> list[TaskResult]:
        return [result for result in self.results if result.changed and result.status != "skipped"]

    def change_groups(self) -> list[ChangeGroup]:
        order = {name: number for number, name in enumerate(self.hosts)}
        return grouped_changes(sorted(self.changes, key=lambda result: order.get(result.host, 0)), list(self.tasks))

    @property
    def failures(self) -> list[TaskResult]:
        """Every failure; those that nothing dealt with first, otherwise in the order of the run."""
        return sorted(
            (result for result in self.results if result.bad), key=lambda result: result.ignored or result.rescued
        )

    def failure_groups(self) -> list[FailureGroup]:
        order = {name: number for number, name in enumerate(self.hosts)}
        bad = [result for result in self.results if result.bad]
        in_order = sorted(bad, key=lambda result: order.get(result.host, 0))
        groups = grouped_failures(in_order)
        places = {task_id: number for number, task_id in enumerate(self.tasks)}
        return sorted(groups, key=lambda group: (group.outcome in ("ignored", "rescued"), places[group.task.task_id]))

    @property
    def verdicts(self) -> list[Verdict]:
        """All verdicts, the worst first, otherwise in the order of the run."""
        found = [v for host, data in self.stats.entries("verdicts") for v in verdicts_from(data, host)]
        return sorted(found, key=lambda verdict: {"crit": 0, "warn": 1, "ok": 2}[verdict.level])

    @property
    def verdict(self) -> str:
        """The worst of the verdicts; crit where a host failed or the run did not end well."""
        bad = self.outcome != "ok" or self.totals.bad
        return "crit" if bad else worst(verdict.level for verdict in self.verdicts)

    def slowest(self, limit: int = 10) -> list[Timing]:
        return slowest_tasks(self.results, limit)

    @property
    def coverage(self) -> Coverage | None:
        """None unless this was a check run."""
        if not self.check:
            return None
        unknown = sum(result.status == "unknown" for result in self.results)
        skipped = sum(_skipped_by_check(result) for result in self.results)
        foreseen = sum(result.status in ("ok", "changed", "failed", "skipped") for result in self.results)
        return Coverage(foreseen - skipped, skipped, unknown, grouped_unforeseen(self.results, list(self.hosts)))

    def as_json(self) -> dict[str, Any]:
        """The documented JSON summary (docs/reference/summary.md)."""
        from opsplay.report.summary_json import summary_json

        return summary_json(self)


def _skipped_by_check(result: TaskResult) -> bool:
    """Skipped because of check mode, not by a condition."""
    if result.status != "skipped":
        return False
    return "check mode" in f"{result.result.get('msg', '')} {result.result.get('skip_reason', '')}"


def journal_events(path: Path) -> Iterable[Event]:
    """The events in a journal. A torn last line and events of a newer version are left out."""
    with open(path, "rb") as file:
        for line in file:
            try:
                yield event_from_json(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
