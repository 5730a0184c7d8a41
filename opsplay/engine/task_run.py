"""TaskRun: one task on one host: its loop, its condition, its attempts, and the judgement of its result."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from opsplay.engine import ahead
from opsplay.engine.attempt import Attempt
from opsplay.engine.foresight import as_variable, is_unknown, leave_unknown, unknown
from opsplay.engine.outcomes import HostGone
from opsplay.engine.parallel import run_items, width_of
from opsplay.engine.profile import note_reply
from opsplay.engine.results import NO_TRACEBACK, combine, failure, public, skipped, status_of
from opsplay.errors import OpsError
from opsplay.events import HostFinished, ItemFinished, Retrying
from opsplay.model.play import Task
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.omit import OMIT
from opsplay.templating.template import Template
from opsplay.templating.undefined import type_name
from opsplay.templating.unknown import UnknownValue
from opsplay.transport.become import UNANSWERED
from opsplay.transport.protocol import BecomeFailed, ConnectionLost, ProtocolError, Unreachable
from opsplay.variables.connecting import Connecting
from opsplay.variables.scope import Scope

if TYPE_CHECKING:
    from opsplay.engine.ahead import Prepared, PreparedTask
    from opsplay.engine.conductor import Turn
    from opsplay.engine.run import Run
    from opsplay.engine.walk import Walk

FACTS_OF = "_opsplay_facts_of"
HIDDEN_LABEL = "(censored due to no_log)"
SPARED = {"failed": "ignore_errors", "unreachable": "ignore_unreachable"}
INCLUDES = frozenset({"include_tasks", "include_role"})
TASK_FAILED = frozenset(
    {
        "assertion-undefined",
        "bad-environment",
        "loop-not-a-list",
        "empty-delegate",
        "vault-no-password",
        "vault-wrong-password",
    }
)


class TaskRun:
    """`included` gathers what an include names, for the walk to enter."""

    def __init__(self, walk: Walk, task: Task, turn: Turn | None) -> None:
        self.walk = walk
        self.run: Run = walk.run
        self.host: str = walk.host
        self.task: Task = task
        self.turn: Turn = turn  # type: ignore[assignment] # set when it is the task's turn
        self.included: list[Any] = []
        self.no_log = False
        self.delegated = ""
        self.looped = task.loop is not None
        self.spared: list[bool] = []  # of each item that failed or lost the host: whether that is ignored
        self.beside = False  # one of several items that run at the same time
        self.secrets: set[str] = set()
        self.number = 0  # which attempt it is, where until or retries ask for several

    async def result(self) -> dict[str, Any]:
        if self.task.uid in self.walk.doubtful:
            self.walk.doubtful.discard(self.task.uid)
            return unknown("whether it is notified depends on a task that is unknown")
        prepared = self.walk.ahead.pop(self.task.uid, None)
        if prepared is None and ahead.allowed(self.walk, self.task):
            prepared = ahead.prepare(self.walk, self.task, ahead=False)
            if prepared is not None:
                prepared.work = self.take(prepared.work)
                try:
                    await ahead.send(self.walk, prepared, self.walk.following)
                except OpsError as error:
                    if self.looped and self.task.keywords.get("ignore_unreachable"):
                        return await self.evaluated()  # each item is asked whether that matters
                    return self.unreachable_by(error)
        if prepared is not None:
            return await self.of_prepared(prepared)
        return await self.evaluated()

    def take(self, work: TaskRun) -> TaskRun:
        """What was found while preparing, for the turn."""
        self.no_log, self.delegated = work.no_log, work.delegated
        self.secrets |= work.secrets
        return self

    async def of_prepared(self, prepared: PreparedTask) -> dict[str, Any]:
        self.take(prepared.work)
        if prepared.items is None:
            result = await self.of_unit(prepared.units[0])
            return await self.evaluated() if result is None else result
        return await self.loop(self.walk.scope(self.task), prepared.items, prepared)

    async def of_unit(self, unit: Prepared) -> dict[str, Any] | None:
        """The result of a step that was sent; None where it did not run because one before it failed."""
        if unit.skip is not None:
            return unit.skip
        assert unit.attempt is not None and unit.reply is not None
        unit.attempt.work = self
        try:
            reply = await unit.reply
        except OpsError as error:
            return self.unreachable_by(error)
        except asyncio.CancelledError:
            await self.walk.cancel_requests()
            raise
        note_reply(reply)
        return unit.attempt.of_reply(reply) if reply.ran else None

    def unreachable_by(self, error: OpsError) -> dict[str, Any]:
        """A host that is away, or that did not let us become somebody, as a result."""
        if error.code == "no-python":  # the host is there, and raw works on it
            return failure(error.message, code=error.code, remedy=error.remedy)
        away = isinstance(error, (Unreachable, ProtocolError)) or error.code in UNANSWERED
        if not away:
            return failure(error.message, code=error.code, remedy=error.remedy)
        result = {
            "unreachable": True,
            "changed": False,
            "msg": error.message,
            "code": error.code,
            "remedy": error.remedy,
        }
        return {**result, "unknown": True} if isinstance(error, (ConnectionLost, ProtocolError)) else result

    async def evaluated(self) -> dict[str, Any]:
        scope = self.walk.scope(self.task)
        if self.task.loop is None:
            return await self.attempts(scope)
        try:
            items = self.loop_items(scope)
        except Undefined as error:
            # Ansible looks at the condition before it minds a loop over something undefined.
            if (skip := self.unless(scope)) is not None:
                self.looped = False
                return skip
            raise error
        return await self.loop(scope, items)

    # -- loops ---------------------------------------------------------------------------------------------------

    def loop_items(self, scope: Scope) -> list[Any]:
        loop = self.task.loop
        assert loop is not None
        if loop.kind == "loop":
            items = self.run.templar.render(loop.value, scope)
            if not isinstance(items, (list, tuple)):
                raise OpsError(
                    "loop-not-a-list", f"The `loop` value must resolve to a 'list', not '{type_name(items)}'.",
                    loop.where, "Give loop a list; a dictionary through the dict2items filter.",
                )  # fmt: skip
            return list(items)
        # A name that is not known is a file that is not found: this lookup renders its terms itself.
        lenient = loop.kind.rpartition(".")[2] == "first_found"
        terms = loop.value if lenient else self.run.templar.render(loop.value, scope)
        return self.run.with_items(loop.kind, terms, scope)

    def loop_control(self, scope: Scope) -> dict[str, Any]:
        assert self.task.loop is not None
        given = {name: value for name, value in self.task.loop.control.items() if name not in ("label", "break_when")}
        return dict(self.run.templar.render(given, scope))

    def loop_variables(self, control: Mapping[str, Any], items: list[Any], index: int) -> dict[str, object]:
        return loop_variables(control, str(control.get("loop_var") or "item"), items, index)

    async def loop(self, scope: Scope, items: list[Any], prepared: PreparedTask | None = None) -> dict[str, Any]:
        results: list[dict[str, Any]] = []
        control = prepared.control if prepared else self.loop_control(scope)
        assert self.task.loop is not None
        width = width_of(control, self.task.loop.where)
        if width > 1 and self.task.verb not in INCLUDES:
            return await run_items(self, scope, items, control, width)
        pause = float(control.get("pause") or 0)
        for index, item in enumerate(items):
            if pause and index:
                await asyncio.sleep(pause)
            item_scope = scope.with_(**self.loop_variables(control, items, index))
            begun = len(self.included)
            results.append(await self.item(item_scope, prepared.units[index] if prepared else None))
            for include in self.included[begun:]:
                include.temporary = item_scope.temporary
            if not self.end_item(item_scope, control, item, index, results[-1]):
                break
        return combine(results)

    async def item(self, scope: Scope, sent: Prepared | None = None) -> dict[str, Any]:
        try:
            result = await self.of_unit(sent) if sent is not None else None
            return await self.attempts(scope) if result is None else result
        except OpsError as error:
            return self.failed_by(error)

    def end_item(self, scope: Scope, control: Mapping[str, Any], item: Any, index: int, result: dict[str, Any]) -> bool:
        """Complete the item's result and tell it; whether the loop goes on."""
        variable = str(control.get("loop_var") or "item")
        result[variable] = item
        result["ansible_loop_var"] = variable
        if control.get("index_var"):
            result["ansible_index_var"], result[control["index_var"]] = control["index_var"], index
        if "ansible_loop" in scope.temporary:
            result["ansible_loop"] = scope.temporary["ansible_loop"]
        label = self.label(scope, item, result)
        for include in self.included:
            if include.temporary is scope.temporary:
                include.label = HIDDEN_LABEL if self.no_log else label
        self.tell_item(item, label, result)
        status = status_of(result)
        if status in SPARED:
            self.spared.append(self.is_ignored(scope, status))
        by_item = isinstance(self.task.keywords.get("ignore_unreachable"), Template)
        lost = status == "unreachable" and not self.spared[-1] and not by_item
        return not lost and not self.broken(scope, result)

    def part(self) -> TaskRun:
        """The same task for one of the items that run side by side."""
        part = TaskRun(self.walk, self.task, self.turn)
        part.beside = True
        part.spared = self.spared
        return part

    def gate(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        """`throttle` and `forks` count hosts: items side by side pass once, together."""
        return contextlib.nullcontext() if self.beside else self.run.gate(self, scope)

    def broken(self, scope: Scope, result: dict[str, Any]) -> bool:
        """loop_control.break_when."""
        conditions = self.task.loop.control.get("break_when") if self.task.loop else None
        if not conditions:
            return False
        scope = scope.with_(**({self.task.register: result} if self.task.register else {}))
        return all(self.run.templar.condition(expression, scope, where) for expression, where in conditions)  # type: ignore[attr-defined]

    def label(self, scope: Scope, item: Any, result: dict[str, Any]) -> str:
        """loop_control.label, which may read the item's result; one that cannot be rendered fails the item."""
        template = self.task.loop.control.get("label") if self.task.loop else None
        if template is None:
            return str(item)
        try:
            return str(
                self.run.templar.render(
                    template, scope.with_(**({self.task.register: result} if self.task.register else {}))
                )
            )
        except OpsError as error:
            result.update(failed=True, msg=f"Failed to template loop_control.label: {error.message}")
            return str(item)

    def tell_item(self, item: Any, label: str, result: dict[str, Any]) -> None:
        if "include" in result:
            return
        shown = self.shown(result)
        self.tell_remarks(shown)
        item = None if self.no_log else item
        label = HIDDEN_LABEL if self.no_log else label
        self.run.emit(ItemFinished(time.time(), self.turn.task.uid, self.host, item, label, status_of(result), shown))

    # -- attempts ------------------------------------------------------------------------------------------------

    async def attempts(self, scope: Scope) -> dict[str, Any]:
        """One item: until, retries and delay around single attempts."""
        self.no_log = self.flag("no_log", scope, self.run.settings.no_log)
        task = self.task
        until = task.own.get("until")
        retries_given = task.own.get("retries")
        if until is None and retries_given is None:
            return await self.attempt(scope)
        retries = int(self.value(retries_given, scope) if retries_given is not None else 3)
        delay = max(
            0.0, float(self.value(task.own.get("delay"), scope) or 0) if task.own.get("delay") is not None else 5.0
        )
        total = max(1, retries + 1)
        for number in range(1, total + 1):
            self.number = number
            result = await self.attempt(scope)
            if result.get("skipped") or result.get("unreachable") or is_unknown(result):
                return result
            result["attempts"] = number
            if self.reached(until, scope, result):
                return result
            if number < total:
                result["retries"] = total
                self.run.emit(
                    Retrying(
                        time.time(),
                        self.turn.task.uid,
                        self.host,
                        number,
                        retries,
                        self.shown({**result, "retries": total}),
                    )
                )
                await asyncio.sleep(delay)
        if until is not None or result.get("failed"):
            result["failed"] = True
            result["attempts"] = total - 1 if total > 1 else 1
        return result

    def reached(self, until: Any, scope: Scope, result: dict[str, Any]) -> bool:
        if until is None:
            return not result.get("failed")
        scope = scope.with_(**({self.task.register: result} if self.task.register else {}))
        return all(self.run.templar.condition(expression, scope, where) for expression, where in until)

    async def attempt(self, scope: Scope) -> dict[str, Any]:
        scope = self.delegating(scope)
        skip = self.unless(scope)
        if skip is not None:
            return skip
        if self.task.verb in INCLUDES:
            return self.walk.play_run.includes.read(self, scope)
        try:
            result = await Attempt(self, scope).result()
        except (Unreachable, ProtocolError, BecomeFailed) as error:
            return self.unreachable_by(error)
        if self.looped and self.delegated and "ansible_facts" in result:
            result[FACTS_OF] = self.facts_host()  # of this item: the next may be delegated elsewhere
        return result

    def delegating(self, scope: Scope) -> Scope:
        """The scope with `ansible_delegated_vars`. Raises OpsError for an empty delegate_to, even where the condition does not hold."""
        raw = self.task.keywords.get("delegate_to")
        if raw is None:
            return scope
        with contextlib.suppress(Undefined):
            host = self.run.templar.render(raw, scope)
            if host in ("", None):
                raise OpsError(
                    "empty-delegate", f"Empty hostname produced from delegate_to: '{text_of(raw)}'", self.task.where
                )
            if host is not OMIT:
                self.delegated = str(host)  # also where an action runs here, on its behalf
                there = self.run.store.scope(str(host), self.walk.play_run.vars, self.task).with_(
                    inventory_hostname=self.host
                )
                scope = scope.with_(ansible_delegated_vars={str(host): self.run.templar.view(there)})
                scope.last = Connecting(self.run.store, self.host, self.task, there)
        return scope

    def unless(self, scope: Scope) -> dict[str, Any] | None:
        """The skipped result where a `when` does not hold. Raises OpsError for a condition that cannot be judged."""
        for expression, where in self.task.keywords.get("when", ()):  # type: ignore[attr-defined]
            try:
                holds = self.run.templar.condition(expression, scope, where)
            except OpsError as error:
                error.message = (
                    f"The conditional check '{text_of(expression)}' failed. The error was: {error.message}"
                    if isinstance(error, Undefined)
                    else error.message
                )
                raise
            if not holds:
                return skipped("Conditional result was False", text_of(expression))
        return None

    # -- keywords ------------------------------------------------------------------------------------------------

    def value(self, raw: Any, scope: Scope) -> Any:
        return self.run.templar.render(raw, scope)

    def keyword(self, name: str, scope: Scope, default: Any = None) -> Any:
        value = self.run.keyword_of(self.task, name, scope)
        return default if value is None else value

    def whole_number(self, name: str, scope: Scope, default: int = 0) -> int:
        """A keyword that is a whole number. Raises OpsError in Ansible's words."""
        try:
            return int(self.keyword(name, scope, default))
        except (OpsError, TypeError, ValueError) as error:
            message = error.message if isinstance(error, OpsError) else str(error)
            raise OpsError(
                "bad-throttle" if name == "throttle" else "bad-keyword-value",
                f"Failed to convert the {name} value to an integer: {message}",
                self.task.where,
            ) from None

    def flag(self, name: str, scope: Scope, default: bool = False) -> bool:
        raw = self.task.keywords.get(name)
        return default if raw is None else raw if isinstance(raw, bool) else self.run.flag(raw, scope)

    # -- the end -------------------------------------------------------------------------------------------------

    def failed_by(self, error: OpsError) -> dict[str, Any]:
        """An error of ours as the failed result that `rescue` and `ignore_errors` work with; what is unknown as such."""
        if isinstance(error, UnknownValue):
            return unknown(error.message)
        if isinstance(error, Undefined) and self.walk.memory.blind:
            return unknown(f'{error.message}; "{self.walk.memory.blind}", which is unknown, may set it')
        task_failed = isinstance(error, (TemplateFailed, Undefined)) or error.code in TASK_FAILED
        result = failure(
            f"Task failed: {error.message}" if task_failed else error.message, code=error.code, exception=NO_TRACEBACK
        )
        if error.remedy:
            result["remedy"] = error.remedy
        if error.where:
            result["where"] = str(error.where)
        return result

    def shown(self, result: Mapping[str, Any]) -> dict[str, Any]:
        from opsplay.engine.results import masked

        secrets = self.secrets | self.run.secrets
        shown = public(result, self.no_log)
        return masked(shown, secrets) if secrets else shown

    def tell_remarks(self, shown: Mapping[str, Any]) -> None:
        if "warnings" in shown or "deprecations" in shown:
            from opsplay.engine.remarks import tell_remarks

            tell_remarks(self.run, shown, str(self.task.where), self.host)

    def close(self, result: dict[str, Any], duration: float) -> str:
        """Register, learn facts, notify handlers, tell everybody; gives the outcome for the walk."""
        task, walk = self.task, self.walk
        if is_unknown(result):
            leave_unknown(self, self.title)
        if task.register:
            for host in (self.host, *(walk.play_run.batch_left() if self.turn.for_all else ())):
                self.run.store.memory(host).set_facts[task.register] = as_variable(result, self.title)
        scope = walk.scope(task)
        status = status_of(result)
        for include in self.included:
            self.turn.included.setdefault(include.identity, []).append(self.host)
        ignored, outcome = self.ignored(scope, status), status
        if status == "failed":
            outcome = "ignored" if ignored else "rescued" if walk.rescuers else "failed"
        elif status == "unreachable":
            outcome = "ignored" if ignored else "unreachable"
        self.learn(walk, task, result, self.facts_host())
        missing: OpsError | None = None
        try:
            if status == "changed" or (self.looped and result.get("changed")):
                self.notify(scope)
        except OpsError as error:  # raised once everybody has heard what the task did
            missing = error
        shown = self.shown(result)
        self.tell_remarks(shown)
        if self.included and status in ("ok", "changed"):
            return outcome  # `Included` tells of it
        self.run.emit(
            HostFinished(
                time.time(),
                self.turn.task.uid,
                self.host,
                status,
                shown,
                duration,
                ignored,
                outcome == "rescued",
                self.delegated,
                self.looped,
            )
        )
        if missing is not None:
            raise missing
        return outcome

    def ignored(self, scope: Scope, status: str) -> bool:
        if status not in SPARED:
            return False
        return all(self.spared) if self.spared else self.is_ignored(scope, status)

    def is_ignored(self, scope: Scope, status: str) -> bool:
        try:
            return self.flag(SPARED[status], scope)
        except OpsError:
            return False

    def facts_host(self) -> str:
        if (
            self.delegated
            and self.task.keywords.get("delegate_facts")
            and self.flag("delegate_facts", self.walk.scope(self.task))
        ):
            return self.delegated
        return self.host

    @staticmethod
    def learn(walk: Walk, task: Task, result: Mapping[str, Any], host: str | None = None) -> None:
        """Facts of modules; actions have set theirs already."""
        results = (
            result.get("results") if task.loop is not None and isinstance(result.get("results"), list) else [result]
        )
        for item in results or ():
            facts = item.get("ansible_facts") if isinstance(item, dict) else None
            owner = item.pop(FACTS_OF, host) if isinstance(item, dict) else host
            if isinstance(facts, Mapping) and not item.get("_opsplay_facts_done"):
                walk.run.learn_facts(owner or walk.host, facts, task.verb == "gather_facts")

    def notify(self, scope: Scope) -> None:
        for name in self.notified(scope):
            self.walk.play_run.handlers.notify(self.walk, name, self.task)

    def notified(self, scope: Scope) -> Iterator[str]:
        for name in self.task.keywords.get("notify", ()):  # type: ignore[attr-defined]
            rendered = self.value(name, scope)
            yield from map(str, rendered if isinstance(rendered, (list, tuple)) else (rendered,))

    @property
    def title(self) -> str:
        return self.run.task_title(self.task, self.walk.scope(self.task))


def loop_variables(
    control: Mapping[str, Any], variable: str, items: list[Any], index: int
) -> dict[str, object]:
    temporary: dict[str, object] = {variable: items[index], "ansible_loop_var": variable}
    if control.get("index_var"):
        temporary[control["index_var"]] = index
        temporary["ansible_index_var"] = control["index_var"]
    if control.get("extended"):
        length = len(items)
        loop: dict[str, object] = {
            "index": index + 1, "index0": index, "first": index == 0, "last": index + 1 == length, "length": length,
            "revindex": length - index, "revindex0": length - index - 1,
        }  # fmt: skip
        if control.get("extended_allitems", True):
            loop["allitems"] = items
        if index + 1 < length:
            loop["nextitem"] = items[index + 1]
        if index:
            loop["previtem"] = items[index - 1]
        temporary["ansible_loop"] = loop
    return temporary


def text_of(expression: object) -> object:
    return getattr(expression, "source", expression)


__all__ = ["HostGone", "TaskRun"]
