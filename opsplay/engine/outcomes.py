"""Outcomes: how a host's walk through a play can end before its last task."""

from __future__ import annotations

from typing import Any

from opsplay.errors import OpsError
from opsplay.model.play import Task


class Outcome(Exception):
    """Leaves the list of tasks that a host is in."""


class Unreadable(Exception):
    """A text that a task names says what nobody can read: no rescue helps, the run ends."""

    def __init__(self, error: OpsError) -> None:
        super().__init__(str(error))
        self.error = error


class TaskFailed(Outcome):
    """A task failed; a rescue section may take over. `silent`: it failed elsewhere and takes this host with it."""

    def __init__(self, task: Task, result: dict[str, Any], silent: bool = False) -> None:
        super().__init__(str(result.get("msg", "")))
        self.task = task
        self.result = result
        self.silent = silent


class HostGone(Outcome):
    """The host is unreachable; nothing more runs there in this play."""


class EndHost(Outcome):
    pass


class EndRole(Outcome):
    pass


class EndBatch(Outcome):
    """meta: end_batch, and meta: end_play through PlayRun.ended."""


class RunStopped(EndBatch):
    """--max-fail is exceeded: the host goes no further, but it ends what cleans up behind it (`rescue`, `always`)."""


class BreakPlay(Outcome):
    """Too many hosts failed: the rest of the batch stops as failed."""
