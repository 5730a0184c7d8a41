"""Statements: meta tasks, which steer the run itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from opsplay.engine.conductor import Key, Turn
from opsplay.engine.foresight import unknown
from opsplay.engine.outcomes import EndBatch, EndHost, EndRole, TaskFailed
from opsplay.engine.results import failure
from opsplay.engine.task_run import TaskRun
from opsplay.errors import OpsError, did_you_mean
from opsplay.events import HostFinished, Notice
from opsplay.model.play import Task
from opsplay.templating.unknown import UnknownValue

if TYPE_CHECKING:
    from opsplay.engine.walk import Walk


async def run_meta(walk: Walk, task: Task, key: Key, turn: Turn) -> None:
    """Judge the condition, do it, tell nobody: Ansible prints and counts no meta task."""
    outcome = "ok"
    try:
        work = TaskRun(walk, task, turn)
        scope = walk.scope(task)
        name = str(task.args.get("_raw_params", ""))
        action = ACTIONS.get(name)
        if action is None:
            raise OpsError(
                "unknown-meta", f"invalid meta action requested: {name}", task.where, did_you_mean(name, set(ACTIONS))
            )
        if name in FOR_ALL and walk.host != turn.leader:
            return
        if work.unless(scope) is not None:
            if name in UNMET:
                tell_unmet(walk, task, name, f"{name} conditional evaluated to False, {UNMET[name].format(walk.host)}")
            return
    except UnknownValue as error:
        walk.play_run.announce(turn)
        walk.run.emit(HostFinished(time.time(), task.uid, walk.host, "unknown", unknown(error.message), 0.0))
        return
    except OpsError as error:
        outcome = "failed"
        result = failure(error.message)
        walk.run.emit(HostFinished(time.time(), task.uid, walk.host, "failed", result, 0.0))
        walk.play_run.note_failed(walk.host)
        raise TaskFailed(task, result) from None
    finally:
        turn.finish(walk.host, outcome)
    await action(walk, task, key)


FOR_ALL = frozenset(["clear_host_errors", "refresh_inventory", "end_play", "end_batch"])  # the first host's condition decides, as documented
FLUSHED = "triggered running handlers for {0}"
UNMET = {
    "end_host": "continuing execution for {0}", "end_play": "continuing play", "end_batch": "continuing current batch",
    "end_role": "continuing role", "clear_facts": "not clearing facts and fact cache for {0}", "reset_connection": "not resetting connection",
}  # fmt: skip


async def flush_handlers(walk: Walk, task: Task, key: Key) -> None:
    tell(walk, task, FLUSHED.format(walk.host))
    await walk.flush((*key, 0))


async def noop(walk: Walk, task: Task, key: Key) -> None:
    tell(walk, task, "noop")


async def clear_facts(walk: Walk, task: Task, key: Key) -> None:
    walk.run.store.clear_facts(walk.host)
    tell(walk, task, "facts cleared")


async def clear_host_errors(walk: Walk, task: Task, key: Key) -> None:
    walk.play_run.clear_errors()
    tell(walk, task, "cleared host errors")


async def refresh_inventory(walk: Walk, task: Task, key: Key) -> None:
    await walk.run.refresh_inventory()
    tell(walk, task, "inventory successfully refreshed")


async def reset_connection(walk: Walk, task: Task, key: Key) -> None:
    await walk.run.target(walk.host, walk.scope(task), task).drop()


async def end_host(walk: Walk, task: Task, key: Key) -> None:
    tell(walk, task, f"ending play for {walk.host}")
    raise EndHost


async def end_play(walk: Walk, task: Task, key: Key) -> None:
    tell(walk, task, "ending play")
    walk.play_run.ended = True
    walk.play_run.batch_ended = True
    raise EndBatch


async def end_batch(walk: Walk, task: Task, key: Key) -> None:
    tell(walk, task, "ending batch")
    walk.play_run.batch_ended = True
    raise EndBatch


async def end_role(walk: Walk, task: Task, key: Key) -> None:
    if task.role is None:
        raise OpsError(
            "end-role-outside",
            "Cannot execute 'end_role' from outside of a role",
            task.where,
            "Use it in a role's tasks.",
        )
    tell(walk, task, f"ending role {task.role.full_name} for {walk.host}")
    raise EndRole


def tell(walk: Walk, task: Task, text: str) -> None:
    if walk.run.settings.verbosity:
        walk.run.emit(Notice(time.time(), "info", f"META: {text}", str(task.where), walk.host))


def tell_unasked(walk: Walk, text: str) -> None:
    """What the engine does by itself is told to those who debug."""
    if walk.run.settings.debug:
        walk.run.emit(Notice(time.time(), "info", f"META: {text}", str(walk.play_run.play.where), walk.host))


def tell_unmet(walk: Walk, task: Task, name: str, reason: str) -> None:
    tell(walk, task, reason)
    if walk.run.settings.verbosity:
        line = f'skipping: [{walk.host}] => {{"msg": "{name}", "skip_reason": "{reason}"}}'
        walk.run.emit(Notice(time.time(), "info", line, str(task.where), walk.host))


ACTIONS: dict[str, Callable[[Any, Task, Key], Awaitable[None]]] = {
    "flush_handlers": flush_handlers,
    "noop": noop,
    "clear_facts": clear_facts,
    "clear_host_errors": clear_host_errors,
    "refresh_inventory": refresh_inventory,
    "reset_connection": reset_connection,
    "end_host": end_host,
    "end_play": end_play,
    "end_batch": end_batch,
    "end_role": end_role,
}
