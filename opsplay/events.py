"""Events: everything that happens in a run, frozen and JSON-able; reports, history and notifiers only listen to these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, field
from typing import Any

from opsplay.lazy_dataclass import dataclass

Result = Mapping[str, Any]  # a task's result, by Ansible's documented keys; secrets already masked


@dataclass(frozen=True, slots=True)
class Event:
    """`at` is seconds since the epoch by the controller's clock; durations are seconds by its monotonic clock."""

    at: float

    @property
    def kind(self) -> str:
        return type(self).__name__

    def as_json(self) -> dict[str, Any]:
        return {"event": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    run_id: str
    playbooks: tuple[str, ...]
    inventory: tuple[str, ...]
    hosts: tuple[str, ...]
    operator: str
    controller: str
    command: tuple[str, ...]
    check: bool
    diff: bool
    version: str
    revision: str = ""  # git revision of the playbook's folder, "+" behind it when changed


@dataclass(frozen=True, slots=True)
class PlayStarted(Event):
    play: str
    where: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchStarted(Event):
    play: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskStarted(Event):
    """A task begins on `hosts`. `task_id` is unique in the run; `is_handler` tells RUNNING HANDLER lines."""

    task_id: str
    task: str
    action: str
    where: str
    role: str = ""
    is_handler: bool = False
    tags: tuple[str, ...] = ()
    args: Mapping[str, Any] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SentAhead(Event):
    """Tasks that go to a host in the frame of the task before them; they begin and end there before their turn here."""

    host: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HostStarted(Event):
    task_id: str
    host: str


@dataclass(frozen=True, slots=True)
class ItemFinished(Event):
    """One item of a loop. `status` as in HostFinished."""

    task_id: str
    host: str
    item: Any
    label: str
    status: str
    result: Result


@dataclass(frozen=True, slots=True)
class OutputLine(Event):
    """A line that a running command printed, live. `stream` is stdout or stderr."""

    task_id: str
    host: str
    stream: str
    line: str


@dataclass(frozen=True, slots=True)
class HostFinished(Event):
    """A task is over on a host. `status`: ok, changed, skipped, failed, unreachable, unknown.

    unknown: the link broke while it ran; or, with `unknown_because` in the result, a check run cannot know.
    `ignored`: failed, but ignore_errors; `rescued`: a rescue section takes over; `delegated_to`: where it ran instead.
    """

    task_id: str
    host: str
    status: str
    result: Result
    duration: float
    ignored: bool = False
    rescued: bool = False
    delegated_to: str = ""
    looped: bool = False


@dataclass(frozen=True, slots=True)
class Retrying(Event):
    task_id: str
    host: str
    attempt: int
    retries: int
    result: Result


@dataclass(frozen=True, slots=True)
class Included(Event):
    task_id: str
    hosts: tuple[str, ...]
    name: str
    path: str
    label: str = ""  # of the loop's item that it was included for


@dataclass(frozen=True, slots=True)
class HandlerNotified(Event):
    """`handler` is the name or topic that was notified; `playbook` the file that the play stands in."""

    host: str
    handler: str
    play: str = ""
    playbook: str = ""


@dataclass(frozen=True, slots=True)
class HandlerRan(Event):
    """All that answers to a notified name or topic has run on the host, and none of it failed."""

    host: str
    handler: str
    play: str = ""
    playbook: str = ""


@dataclass(frozen=True, slots=True)
class HandlerPending(Event):
    """An earlier run (`run_id`, at `since`) notified the handler, and no run has run it."""

    host: str
    handler: str
    play: str
    playbook: str
    run_id: str
    since: float


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something the operator should read. `level`: info, warning, deprecated."""

    level: str
    message: str
    where: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Message(Event):
    """What the `debug` action and its friends want shown. Shown also in quiet mode."""

    host: str
    text: str


@dataclass(frozen=True, slots=True)
class FactsGathered(Event):
    host: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StatsSet(Event):
    """`set_stats`: `host` is empty where the data is for the whole run."""

    host: str
    data: Mapping[str, Any]
    aggregate: bool = True


@dataclass(frozen=True, slots=True)
class PlayFinished(Event):
    """`too_many_failed`: max_fail_percentage ended it."""

    play: str
    too_many_failed: bool = False


@dataclass(frozen=True, slots=True)
class PlaybookFinished(Event):
    path: str


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """`outcome`: ok, failed, unreachable, interrupted, error; `exit_code` as documented; `duration` in seconds."""

    run_id: str
    outcome: str
    exit_code: int
    duration: float
    error: str = ""


Listener = Callable[[Event], None]
EVENTS: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        RunStarted, PlayStarted, BatchStarted, TaskStarted, SentAhead, HostStarted, ItemFinished, OutputLine, HostFinished,
        Retrying, Included, HandlerNotified, HandlerRan, HandlerPending, Notice, Message, FactsGathered, StatsSet, PlayFinished,
        PlaybookFinished, RunFinished,
    )
}  # fmt: skip


def event_from_json(data: Mapping[str, Any]) -> Event:
    """The event that `as_json` wrote. Raises KeyError for a kind that this version does not know."""
    fields = {key: value for key, value in data.items() if key != "event"}
    cls: Any = EVENTS[data["event"]]
    return cls(**{key: tuple(value) if isinstance(value, list) and key in _TUPLES else value for key, value in fields.items()})  # type: ignore[no-any-return]


_TUPLES = {"playbooks", "inventory", "hosts", "command", "tags", "tasks"}
