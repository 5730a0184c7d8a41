"""What the summary keeps of each task: its name and place, its result on each host, its changes and failures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from opsplay.events import HostFinished, TaskStarted
from opsplay.lazy_dataclass import dataclass
from opsplay.report.diff_text import result_diff
from opsplay.report.result_text import failure_message


@dataclass(slots=True)
class Task:
    """One task of the run. `play` is the play's position in the run, from 0."""

    task_id: str
    name: str
    module: str
    where: str
    role: str
    is_handler: bool
    play: int

    @property
    def title(self) -> str:
        return f"{self.role} : {self.name}" if self.role else self.name

    def as_json(self) -> dict[str, Any]:
        return {
            "task": self.name, "role": self.role, "module": self.module, "where": self.where, "handler": self.is_handler,
        }  # fmt: skip


def task_of(event: TaskStarted, play: int) -> Task:
    name = event.task or event.action
    if event.role and name.startswith(f"{event.role} : "):
        name = name[len(event.role) + 3 :]
    return Task(event.task_id, name, event.action, event.where, event.role, event.is_handler, play)


@dataclass(slots=True)
class TaskResult:
    """A task's end on one host. `started` is seconds since the epoch; `outcome` is status, or ignored or rescued."""

    task: Task
    host: str
    status: str
    started: float
    duration: float
    changed: bool
    ignored: bool
    rescued: bool
    delegated_to: str
    result: Mapping[str, Any] = field(repr=False)
    _diff: str | None = None

    @property
    def outcome(self) -> str:
        return "ignored" if self.ignored else "rescued" if self.rescued else self.status

    @property
    def bad(self) -> bool:
        """Failed in any way, also where a rescue section or ignore_errors dealt with it."""
        return self.status in ("failed", "unreachable", "unknown") and not self.unforeseen

    @property
    def unforeseen(self) -> str:
        """Why a check run cannot know what the task would do."""
        return str(self.result.get("unknown_because", "")) if self.status == "unknown" else ""

    @property
    def diff(self) -> str:
        """The unified diff text, made on first use: a run must not wait for it."""
        if self._diff is None:
            self._diff = result_diff(self.result)
        return self._diff

    @property
    def message(self) -> str:
        return failure_message(self.result) if self.bad else ""


def result_of(event: HostFinished, task: Task) -> TaskResult:
    changed = event.status == "changed" or bool(event.result.get("changed"))
    duration = max(0.0, event.duration)
    telling = changed or event.status != "ok"  # of the others, facts and outputs among them, nothing is shown later
    return TaskResult(
        task, event.host, event.status, event.at - duration, duration, changed, event.ignored, event.rescued,
        event.delegated_to, event.result if telling else {},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Hosts on which a task made the same change."""

    task: Task
    hosts: tuple[str, ...]
    diff: str


def grouped_changes(results: Iterable[TaskResult], order: list[str]) -> list[ChangeGroup]:
    """Changes in the order of the run (`order`: task ids), hosts with the same diff together."""
    groups: dict[tuple[str, str], tuple[Task, list[str]]] = {}
    for result in results:
        groups.setdefault((result.task.task_id, result.diff), (result.task, []))[1].append(result.host)
    places = {task_id: number for number, task_id in enumerate(order)}
    ordered = sorted(groups.items(), key=lambda group: places.get(group[0][0], len(places)))
    return [ChangeGroup(task, tuple(hosts), diff) for (_, diff), (task, hosts) in ordered]


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Hosts on which a task failed in the same way."""

    task: Task
    outcome: str
    message: str
    hosts: tuple[str, ...]


def grouped_failures(results: Iterable[TaskResult]) -> list[FailureGroup]:
    """In the order of the results: fifty hosts with one cause are one entry."""
    groups: dict[tuple[str, str, str], tuple[Task, list[str]]] = {}
    for result in results:
        key = (result.task.task_id, result.outcome, result.message)
        groups.setdefault(key, (result.task, []))[1].append(result.host)
    return [FailureGroup(task, key[1], key[2], tuple(hosts)) for key, (task, hosts) in groups.items()]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a task took: on its slowest host, and over all hosts."""

    task: Task
    slowest: float
    host: str
    total: float
    hosts: int

    def as_json(self) -> dict[str, Any]:
        times = {
            "duration": round(self.slowest, 4),
            "host": self.host,
            "total": round(self.total, 4),
            "hosts": self.hosts,
        }
        return self.task.as_json() | times


def slowest_tasks(results: Iterable[TaskResult], limit: int = 10) -> list[Timing]:
    by_task: dict[str, list[TaskResult]] = {}
    for result in results:
        by_task.setdefault(result.task.task_id, []).append(result)
    timings = [_timing(group) for group in by_task.values()]
    return sorted(timings, key=lambda timing: -timing.slowest)[:limit]


def _timing(group: list[TaskResult]) -> Timing:
    slowest = max(group, key=lambda result: result.duration)
    return Timing(slowest.task, slowest.duration, slowest.host, sum(r.duration for r in group), len(group))


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Hosts on which a check run cannot know what a task would do, for the same reason."""

    task: Task
    because: str
    hosts: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return self.task.as_json() | {"because": self.because, "hosts": list(self.hosts)}


def grouped_unforeseen(results: Iterable[TaskResult], hosts: list[str]) -> tuple[Unforeseen, ...]:
    """In the order of the run; the hosts in theirs."""
    found: dict[tuple[str, str], list[TaskResult]] = {}
    for result in results:
        if result.unforeseen:
            found.setdefault((result.task.task_id, result.unforeseen), []).append(result)
    places = {host: number for number, host in enumerate(hosts)}
    return tuple(
        Unforeseen(group[0].task, because, tuple(sorted({result.host for result in group}, key=lambda host: places.get(host, 0))))
        for (_, because), group in found.items()
    )
