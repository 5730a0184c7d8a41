"""Debugger: where a task's `debugger` keyword or a setting asks for it, the operator looks, changes and does the task again."""

from __future__ import annotations

import asyncio
import signal
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from pprint import pformat
from typing import TYPE_CHECKING, Any

from opsplay.engine.results import status_of
from opsplay.errors import OpsError
from opsplay.model.play import Task
from opsplay.templating.layer import VarLayer
from opsplay.templating.template import template_or_text

if TYPE_CHECKING:
    from opsplay.engine.task_run import TaskRun

STOPS = {"on_failed": "failed", "on_unreachable": "unreachable", "on_skipped": "skipped"}
HELP = (
    "p(rint) EXPRESSION: of task, task.args, task_vars, host, result\ntask.args[KEY] = VALUE: change an argument\n"
    "task_vars[KEY] = VALUE, then u(pdate_task): change a variable\nr(edo), c(ontinue), q(uit)"
)


class Shown:
    """`task` as the operator sees it: its arguments may be changed."""

    def __init__(self, task: Task, name: str) -> None:
        self.name = name
        self.action = task.written
        self.args: dict[str, Any] = {key: as_text(value) for key, value in task.args.items()}

    def __repr__(self) -> str:
        return f"TASK: {self.name}"


async def debugged(work: TaskRun, result: Mapping[str, Any]) -> Task | None:
    """The task to do again instead; None where its result stands."""
    run = work.run
    if run.asker is None or not stops(work, result):
        return None
    async with run.debugging:
        return await Dialogue(work, result).task()


def stops(work: TaskRun, result: Mapping[str, Any]) -> bool:
    status = status_of(result)
    settings = work.run.settings
    scope = work.walk.scope(work.task)
    wanted = work.run.keyword_of(work.task, "debugger", scope)
    if wanted in ("always", "never"):
        return bool(wanted == "always")
    if status == "failed" and settings.task_debugger_ignore_errors and work.ignored(scope, status):
        return False
    return STOPS.get(str(wanted)) == status or (work.walk.play_run.debugs and status in ("failed", "unreachable"))


class Dialogue:
    def __init__(self, work: TaskRun, result: Mapping[str, Any]) -> None:
        self.work = work
        self.given = work.task
        self.title = work.run.task_title(work.task, work.walk.scope(work.task))
        self.shown = Shown(work.task, self.title)
        scope = work.walk.scope(work.task)
        self.edits: dict[str, Any] = {}
        self.names: dict[str, Any] = {
            "task": self.shown, "host": work.host, "result": work.shown(result),
            "task_vars": ChainMap(self.edits, work.run.templar.view(scope)),  # type: ignore[arg-type]
        }  # fmt: skip
        self.updated = False

    async def task(self) -> Task | None:
        result = self.names["result"]
        told = f"{self.work.host}: {status_of(result)}: {result.get('msg') or result.get('censored') or ''}"
        while True:
            line = await self.work.run.ask(f"{told}\n[{self.work.host}] TASK: {self.title} (debug)> ")
            if line is None:
                return None
            word, _, rest = line.strip().partition(" ")
            if word in ("c", "continue"):
                return None
            if word in ("r", "redo"):
                return self.changed()
            if word in ("q", "quit"):
                signal.raise_signal(signal.SIGTERM)
                await asyncio.Future()
            told = self.answer(word, rest, line.strip())

    def answer(self, word: str, rest: str, line: str) -> str:
        if word in ("h", "help", "?"):
            return HELP
        if word in ("u", "update_task"):
            self.updated = True
            return ""
        try:
            if word in ("p", "pprint", "print"):
                return pformat(eval(rest, {}, self.names))  # what the operator of this very process types
            exec(line, {}, self.names)
        except Exception as error:
            return f"***{type(error).__name__}: {error.message if isinstance(error, OpsError) else error}"
        return ""

    def changed(self) -> Task:
        """The task with what was changed; the rest of it as it was written."""
        task = self.given
        before = Shown(task, self.title).args
        args = {
            key: task.args[key] if key in before and before[key] == value else compiled(value, task)
            for key, value in self.shown.args.items()
        }
        layer = VarLayer("debugger", {key: compiled(value, task) for key, value in self.edits.items()} if self.updated else {})
        return replace(task, args=args, layers=(*task.layers, layer) if layer else task.layers)


def as_text(value: Any) -> Any:
    return getattr(value, "source", value)


def compiled(value: Any, task: Task) -> Any:
    return template_or_text(value, task.where) if isinstance(value, str) else value
