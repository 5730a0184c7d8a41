"""Walk: one host's way through a play: sections, blocks with rescue and always, includes, roles run once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from opsplay.engine.conductor import BYPASSING, Key, Turn
from opsplay.engine.foresight import as_variable
from opsplay.engine.outcomes import BreakPlay, EndBatch, EndHost, EndRole, HostGone, Outcome, RunStopped, TaskFailed
from opsplay.engine.results import failure
from opsplay.engine.statements import FLUSHED, run_meta, tell_unasked
from opsplay.engine.task_run import TaskRun
from opsplay.engine.vars_files import load_vars_files
from opsplay.errors import OpsError
from opsplay.model.play import Block, Entry, Task
from opsplay.templating.layer import VarLayer
from opsplay.transport.protocol import Request
from opsplay.variables.scope import Scope

if TYPE_CHECKING:
    from opsplay.engine.ahead import PreparedTask
    from opsplay.engine.play_run import PlayRun


MAIN_FLUSH = 5  # handler time behind roles and tasks


class Walk:
    def __init__(self, play_run: PlayRun, host: str) -> None:
        self.play_run = play_run
        self.run = play_run.run
        self.host = host
        self.memory = self.run.store.memory(host)
        self.params: tuple[VarLayer, ...] = ()
        self.done_roles: set[object] = set()
        self.used_roles: set[object] = set()  # those of which a task did more than be skipped
        self._roles: list[object] = []  # the roles that it is inside of, by their marks
        self.cleared = False  # by meta: clear_host_errors, of the failure that an `always` is run for
        self.cleaning = 0  # rescue and always sections that it is in
        self.rescuers = 0  # enclosing blocks whose rescue is still to come
        self.notified: dict[str, None] = {}  # names and topics, until they are flushed
        self.due: set[str] = set()  # handlers to run
        self.doubtful: set[str] = set()  # handlers that a task may have notified: a check run cannot know
        self.owed: dict[str, set[str]] = {}  # which handlers a notified name still waits for
        self.ahead: dict[str, PreparedTask] = {}
        self.requests: list[Request] = []
        self._line: list[tuple[tuple[Entry, ...], int]] = []  # where it is in each list of tasks around it

    async def go(self) -> None:
        """Walk to the end of the play; never raises but for cancellation and our own faults."""
        try:
            await self.sections()
        except TaskFailed:
            self.play_run.fail(self.host)
            if self.play_run.force_handlers:
                await self.forced_flush()
        except HostGone:
            self.play_run.lose(self.host)
        except BreakPlay:
            self.play_run.fail(self.host)
        except (EndHost, EndBatch, EndRole):
            pass
        finally:
            self.play_run.conductor.leave(self.host)
            self.play_run.walked()

    async def sections(self) -> None:
        play = self.play_run.play
        sections: list[tuple[Entry, ...] | None] = [
            self.gathering, play.pre_tasks, None, play.roles, play.tasks, None, play.post_tasks, None,
        ]  # fmt: skip
        for index, entries in enumerate(sections):
            if entries is None:
                if index == MAIN_FLUSH:
                    self.play_run.handlers.recall(self)
                if self.notified:
                    tell_unasked(self, FLUSHED.format(self.host))
                await self.flush((index,))
            else:
                await self.entries(entries, (index,))
            if index == 0 and play.vars_files:
                load_vars_files(self.play_run, self.host, final=True)

    @property
    def gathering(self) -> tuple[Entry, ...]:
        """`gathering = smart` asks no host twice."""
        return () if self.run.settings.gathering == "smart" and self.memory.gathered else self.play_run.gathering

    async def forced_flush(self) -> None:
        try:
            await self.flush((9,))
        except Outcome:
            pass

    async def entries(self, entries: tuple[Entry, ...], key: Key) -> None:
        self._line.append((entries, 0))
        try:
            for index, entry in enumerate(entries):
                self._line[-1] = (entries, index + 1)
                if isinstance(entry, Task):
                    await self.task(entry, (*key, index))
                else:
                    await self.block(entry, (*key, index))
        finally:
            self._line.pop()

    @property
    def following(self) -> Iterator[Entry]:
        """What stands behind the present task in its own list."""
        entries, index = self._line[-1] if self._line else ((), 0)
        return iter(entries[index:])

    async def cancel_requests(self) -> None:
        """End what is under way on the host."""
        requests, self.requests = self.requests, []
        await asyncio.shield(asyncio.gather(*(request.cancel() for request in requests), return_exceptions=True))

    async def block(self, block: Block, key: Key) -> None:
        if block.once and block.marks in self.done_roles:
            return
        if block.marks is None:
            await self.inside(block, key)
            return
        self._roles.append(block.marks)
        try:
            await self.inside(block, key)
        finally:
            self._roles.pop()
        if block.marks in self.used_roles:
            self.done_roles.add(block.marks)

    async def inside(self, block: Block, key: Key) -> None:
        if block.rescue or block.always:
            await self.guarded(block, key)
        else:
            try:
                await self.entries(block.block, key)
            except EndRole:
                if not block.role_start:
                    raise

    async def guarded(self, block: Block, key: Key) -> None:
        """The block; on failure its rescue; always its always; then the failure that is left."""
        left: TaskFailed | None = None
        try:
            self.rescuers += bool(block.rescue)
            try:
                await self.entries(block.block, (*key, 0))
            finally:
                self.rescuers -= bool(block.rescue)
        except TaskFailed as failed:
            left = failed
            self.cleared = False
        except RunStopped:
            await self.cleanup(block.always, (*key, 2))
            raise
        if left is not None and block.rescue:
            left = await self.rescue(block, key, left)
        await self.cleanup(block.always, (*key, 2))
        if left is not None and not self.cleared:
            raise left

    async def rescue(self, block: Block, key: Key, failed: TaskFailed) -> TaskFailed | None:
        self.memory.set_facts["ansible_failed_task"] = described(failed.task)
        self.memory.set_facts["ansible_failed_result"] = failed.result
        try:
            await self.cleanup(block.rescue, (*key, 1))
        except TaskFailed as again:
            return again
        return None

    async def cleanup(self, entries: tuple[Entry, ...], key: Key) -> None:
        """Tasks of `rescue` and `always`: --max-fail does not cut them off."""
        self.cleaning += 1
        try:
            await self.entries(entries, key)
        finally:
            self.cleaning -= 1

    # -- one task ------------------------------------------------------------------------------------------------

    async def task(self, task: Task, key: Key) -> None:
        if not self.play_run.selected(task, self.host):
            return
        begun = time.monotonic()
        turn = await self.play_run.conductor.turn(self.host, key, task)
        if self.run.profile is not None:
            self.run.profile.waited(task, self.host, time.monotonic() - begun)
        try:
            self.play_run.check_end(self)
        except Outcome:
            turn.finish(self.host, "skipped")
            raise
        if turn.left_out:
            turn.finish(self.host, "skipped")
            return
        if task.verb == "meta":
            await run_meta(self, task, key, turn)
            return
        turn.for_all = turn.for_all or self.shares(task, turn)
        turn.once = turn.for_all or task.verb in BYPASSING
        if turn.once and len(turn.hosts) > 1:
            await self.shared(task, key, turn)
        else:
            await self.alone(task, key, turn)

    def shares(self, task: Task, turn: Turn) -> bool:
        wanted = task.keywords.get("run_once")
        return bool(wanted) and (
            wanted is True or self.run.flag(wanted, self.run.walk_scope(self.play_run, turn.leader, task))
        )

    async def alone(self, task: Task, key: Key, turn: Turn) -> None:
        outcome = "failed"
        try:
            included, outcome, result = await self.perform(task, turn)
        finally:
            turn.finish(self.host, outcome)
        await self.follow(task, key, turn, outcome, result, included)

    async def shared(self, task: Task, key: Key, turn: Turn) -> None:
        """The first host does it; with run_once its result holds for all."""
        if turn.shared is None:
            turn.shared = asyncio.get_running_loop().create_future()
        if self.host != turn.leader:
            outcome: Any = await asyncio.shield(turn.shared)
            included, status, result = outcome
            if turn.for_all:
                self.adopt(task, result)
            turn.finish(self.host, "ok")
            await self.follow(task, key, turn, status, result, [], silent=True)
            return
        status = "failed"
        try:
            included, status, result = await self.perform(task, turn)
            turn.shared.set_result((included, status, result))
        except BaseException as error:
            if not turn.shared.done():
                turn.shared.set_result(([], "failed", failure(str(error))))
            raise
        finally:
            turn.finish(self.host, status)
        await self.follow(task, key, turn, status, result, included)

    def adopt(self, task: Task, result: dict[str, Any]) -> None:
        if task.register:
            self.memory.set_facts[task.register] = as_variable(result, self.run.task_title(task, self.scope(task)))
        TaskRun.learn(self, task, result)

    async def perform(self, task: Task, turn: Turn) -> tuple[list[Any], str, dict[str, Any]]:
        """(what it includes, outcome, result); the outcome is a status, "ignored" or "rescued"."""
        begun = time.monotonic()
        work = TaskRun(self, task, turn)
        if self.run.profile is not None:
            self.run.profile.enter(task, self.host)
        try:
            result = await work.result()
        except OpsError as error:
            if error.code == "bad-throttle":
                raise
            result = work.failed_by(error)
        if self.play_run.debugs or "debugger" in task.keywords:
            from opsplay.engine.debugger import debugged

            if (again := await debugged(work, result)) is not None:
                return await self.perform(again, turn)
        seconds = time.monotonic() - begun
        outcome = work.close(result, seconds)
        if self.run.profile is not None:
            self.run.profile.leave(seconds)
        return work.included, outcome, result

    async def follow(
        self,
        task: Task,
        key: Key,
        turn: Turn,
        outcome: str,
        result: dict[str, Any],
        included: list[Any],
        silent: bool = False,
    ) -> None:
        """What comes of the outcome: failure, a lost host, the batch's fate, included tasks."""
        if self._roles and not silent and not (result.get("skipped") or result.get("unreachable")):
            self.used_roles.add(self._roles[-1])
        if outcome == "unreachable" and not silent:
            self.play_run.note_lost(self.host)
        if outcome == "failed" and not silent:
            self.play_run.note_failed(self.host)
        await self.play_run.after_turn(self, task, turn)
        if outcome == "unreachable":
            if not await self.play_run.revived(self.host):
                raise HostGone
            return
        if outcome in ("failed", "rescued"):
            raise TaskFailed(task, result, silent)
        for include in included:
            await self.play_run.includes.enter(self, task, key, turn, include)

    # -- handlers ------------------------------------------------------------------------------------------------

    async def flush(self, key: Key) -> None:
        """Run the notified handlers once, in the order of their definition; one that notifies an earlier one leaves it for later."""
        handlers = self.play_run.handlers
        for index, handler in enumerate(handlers.tasks()):
            while self.notified:
                handlers.take(self)
            if handler.uid in self.due:
                self.due.discard(handler.uid)
                self.doubtful.discard(handler.uid)
                await self.task(handler, (*key, index))
                handlers.ran(self, handler)
            elif handler.uid in self.doubtful:
                await self.task(handler, (*key, index))

    def scope(self, task: Task, temporary: dict[str, object] | None = None, ahead: bool = False) -> Scope:
        return self.run.store.scope(self.host, self.play_run.vars, task, temporary, self.params, self.play_run.public, ahead)


def described(task: Task) -> dict[str, Any]:
    name = getattr(task.name, "source", task.name)
    return {
        "name": name or "",
        "action": task.written,
        "args": {},
        "path": f"{task.where.path}:{task.where.line}",
        "uuid": task.uid,
    }
