"""Ahead: tasks that need nothing from the one before travel in its frame, so that a frame and not a task costs a round trip.

A task may go ahead of its turn when everything that it reads is known (a name under way raises NotYetKnown), when its
host alone can see what it does (or the batch has one host), and when the frame stops on the host should the task before
fail. What was sent is the truth: at its turn the task takes the reply and is not evaluated again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opsplay.engine.attempt import Attempt
from opsplay.errors import OpsError
from opsplay.events import SentAhead
from opsplay.lazy_dataclass import dataclass
from opsplay.model.play import Entry, Task
from opsplay.templating.pending import NotYetKnown
from opsplay.transport.protocol import Reply, Step
from opsplay.variables.scope import Scope

if TYPE_CHECKING:
    from opsplay.engine.target import Target
    from opsplay.engine.task_run import TaskRun
    from opsplay.engine.walk import Walk

# Modules whose doings only their own host can see: they may run before other hosts have ended the task before.
CONFINED = frozenset(
    ["_copy", "file", "lineinfile", "blockinfile", "replace", "stat", "find", "slurp", "tempfile", "ini_file", "cron", "user", "group", "authorized_key", "known_hosts", "sysctl", "locale_gen", "timezone", "alternatives", "hostname", "getent", "package_facts", "service_facts", "mount_facts", "pam_limits", "capabilities", "acl", "archive", "ping", "read_csv", "find_delete", "_copy_on_host"]
)
NEVER = frozenset({"setup", "reboot", "async_status", "user"})  # facts change what all that follows reads
MOST_STEPS, MOST_BYTES = 64, 1024 * 1024  # of one frame: progress stays visible, memory bounded
KEYWORDS_AGAINST = ("delegate_to", "run_once", "throttle", "any_errors_fatal", "timeout", "debugger")
OWN_AGAINST = ("until", "retries", "async")
LOOP_AGAINST = ("pause", "break_when", "extended", "parallel")


@dataclass(slots=True)
class Prepared:
    """One item of a task: skipped, or a step and the attempt that judges its reply."""

    scope: Scope
    skip: dict[str, Any] | None = None
    attempt: Attempt | None = None
    step: Step | None = None
    reply: asyncio.Future[Reply] | None = None


@dataclass(slots=True)
class PreparedTask:
    """A task whose steps are known; `items` is None where it has no loop."""

    work: TaskRun
    units: list[Prepared]
    items: list[Any] | None
    control: Mapping[str, Any]
    target: Target | None


def allowed(walk: Walk, task: Task) -> bool:
    """Whether the task can be sent as steps at all, from what its text says."""
    words, own = task.keywords, task.own
    if task.verb in NEVER or "{{" in task.verb or any(words.get(name) for name in KEYWORDS_AGAINST) or any(name in own for name in OWN_AGAINST):
        return False
    if task.loop is not None and any(name in task.loop.control for name in LOOP_AGAINST):
        return False
    return walk.play_run.lets_ahead and not walk.run.options.step


def prepare(walk: Walk, task: Task, ahead: bool) -> PreparedTask | None:
    """The task's steps, or None where they cannot be known now. Errors are left for the task's own turn."""
    from opsplay.engine.task_run import TaskRun

    try:
        return read(walk, task, TaskRun(walk, task, None), ahead)
    except (NotYetKnown, OpsError):
        return None


def read(walk: Walk, task: Task, work: TaskRun, ahead: bool) -> PreparedTask | None:
    scope = walk.scope(task, ahead=ahead)
    if task.loop is None:
        unit = read_unit(work, scope)
        return None if unit is None else PreparedTask(work, [unit], None, {}, target_of([unit]))
    items = work.loop_items(scope)
    control = work.loop_control(scope)
    units: list[Prepared] = []
    for index in range(len(items)):
        unit = read_unit(work, scope.with_(**work.loop_variables(control, items, index)))
        if unit is None:
            return None
        units.append(unit)
    return PreparedTask(work, units, items, control, target_of(units))


def target_of(units: list[Prepared]) -> Target | None:
    return next((unit.attempt.target for unit in units if unit.attempt is not None), None)


def read_unit(work: TaskRun, scope: Scope) -> Prepared | None:
    work.no_log = work.flag("no_log", scope, work.run.settings.no_log)
    skip = work.unless(scope)
    if skip is not None:
        return Prepared(scope, skip)
    attempt = Attempt(work, scope)
    step = attempt.single_step()
    return None if step is None else Prepared(scope, None, attempt, step)


async def send(walk: Walk, first: PreparedTask, following: Iterator[Entry]) -> None:
    """Send the task, and what may go with it, in one frame; the replies are in the prepared tasks."""
    target = first.target
    if target is None:
        return
    tasks = [first]
    pending = walk.memory.pending
    try:
        if stoppable(first, walk):
            note_pending(walk, first)
            tasks += gather(walk, first, following)
    finally:
        pending.clear()
    await submit(walk, target, tasks)


def gather(walk: Walk, first: PreparedTask, following: Iterator[Entry]) -> list[PreparedTask]:
    taken: list[PreparedTask] = []
    steps, size = weight(first)
    for entry in following:
        if not isinstance(entry, Task) or not walk.play_run.selected(entry, walk.host) or not allowed(walk, entry):
            break
        prepared = prepare(walk, entry, ahead=True)
        if prepared is None or not fits(walk, first, prepared):
            break
        more_steps, more_size = weight(prepared)
        steps, size = steps + more_steps, size + more_size
        if steps > MOST_STEPS or size > MOST_BYTES:
            break
        taken.append(prepared)
        note_pending(walk, prepared)
        if not stoppable(prepared, walk):
            break
    return taken


def fits(walk: Walk, first: PreparedTask, prepared: PreparedTask) -> bool:
    """The same host as the same user, and nothing that other hosts could see before its turn."""
    if prepared.target is not None and (prepared.target.address, prepared.target.become) != (first.target.address, first.target.become):  # type: ignore[union-attr]
        return False
    return walk.play_run.alone or all(unit.step is None or unit.step.module in CONFINED for unit in prepared.units)


def weight(prepared: PreparedTask) -> tuple[int, int]:
    steps = [unit.step for unit in prepared.units if unit.step is not None]
    return len(steps), sum(len(step.body or b"") for step in steps)


def note_pending(walk: Walk, prepared: PreparedTask) -> None:
    if prepared.work.task.register:
        walk.memory.pending.add(prepared.work.task.register)


def stoppable(prepared: PreparedTask, walk: Walk) -> bool:
    """Whether the host itself can tell that the task failed, so that nothing behind it runs there."""
    task = prepared.work.task
    if "failed_when" in task.own or not isinstance(task.keywords.get("ignore_errors", False), (bool, type(None))):
        return False
    return not any(unit.attempt is not None and unit.attempt.gives_facts for unit in prepared.units)


async def submit(walk: Walk, target: Target, tasks: list[PreparedTask]) -> None:
    units: list[Prepared] = []
    for number, prepared in enumerate(tasks):
        may_fail = bool(prepared.work.task.keywords.get("ignore_errors"))
        for unit in prepared.units:
            if unit.step is not None:
                unit.step.may_fail = may_fail
                unit.step.group = number if prepared.items is not None else None
                units.append(unit)
    if len(tasks) > 1:
        walk.run.emit(SentAhead(time.time(), walk.host, tuple(prepared.work.task.uid for prepared in tasks[1:])))
    request = await target.submit([unit.step for unit in units if unit.step is not None])
    walk.requests.append(request)
    for unit, reply in zip(units, request.replies, strict=True):
        unit.reply = reply
    for prepared in tasks[1:]:
        walk.ahead[prepared.work.task.uid] = prepared
