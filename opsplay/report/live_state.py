"""What is under way right now: open tasks, the hosts that they run on and since when. Cheap to keep, read by the screen."""

from __future__ import annotations

from dataclasses import field

from opsplay.lazy_dataclass import dataclass

SLOW = 10.0  # seconds after which a host is named as waited for


@dataclass(slots=True)
class OpenTask:
    """A task that some hosts may still run. `running` holds the monotonic time of each host's start."""

    task_id: str
    title: str
    module: str
    began: float
    running: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def done(self) -> int:
        return sum(self.outcomes.values())


class LiveState:
    """Written by the run's thread, read by the screen's: every method is short and takes copies where it reads."""

    def __init__(self) -> None:
        self.play = ""
        self.finished = 0
        self.tasks: dict[str, OpenTask] = {}

    def open(self, task: OpenTask) -> None:
        self.tasks.setdefault(task.task_id, task)

    def started(self, task_id: str, host: str, now: float) -> None:
        if task := self.tasks.get(task_id):
            task.running[host] = now

    def ended(self, task_id: str, host: str, outcome: str, duration: float) -> None:
        if task := self.tasks.get(task_id):
            task.running.pop(host, None)
            task.outcomes[outcome] = task.outcomes.get(outcome, 0) + 1
            task.slowest = max(task.slowest, duration)
            if outcome == "changed":
                task.changed.append(host)

    def take_complete(self, everything: bool = False) -> list[OpenTask]:
        """Tasks that no host runs any more, but the newest, which hosts may be about to start."""
        ids = list(self.tasks)
        last = ids[-1] if ids and not everything else None
        complete = [t for t in ids if everything or (t != last and not self.tasks[t].running and self.tasks[t].done)]
        self.finished += len(complete)
        return [self.tasks.pop(task_id) for task_id in complete]

    def waited_for(self, now: float, slow_after: float = SLOW) -> list[tuple[str, str, float]]:
        """(host, task, seconds) of everything that takes long, the longest first."""
        slow = [
            (host, task.title, now - since)
            for task in list(self.tasks.values())
            for host, since in list(task.running.items())
            if now - since >= slow_after
        ]
        return sorted(slow, key=lambda row: -row[2])
