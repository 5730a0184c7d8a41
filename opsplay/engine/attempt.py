"""Attempt: a task done once on one host: arguments rendered and typed, then an action here or a module there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from opsplay.actions.arguments import typed_arguments
from opsplay.engine.foresight import foreseen, is_unknown, unknown
from opsplay.engine.results import MASK, NO_TRACEBACK, failure, normalise, secrets_in, skipped
from opsplay.engine.target import Target
from opsplay.errors import OpsError
from opsplay.model.catalog import Verb, refuse_plugin
from opsplay.model.play import Task
from opsplay.remote.spec import ModuleFailure
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.omit import OMIT, drop_omitted
from opsplay.templating.undefined import type_name
from opsplay.templating.unknown import UnknownValue
from opsplay.transport.bootstrap import DISCOVERY
from opsplay.transport.protocol import Reply, Step
from opsplay.variables.scope import Scope

if TYPE_CHECKING:
    from opsplay.engine.run import Run
    from opsplay.engine.task_run import TaskRun


DISCOVERED = "discovered_interpreter_python"
INVOCATION_FROM = 3  # verbosity
LONGEST_TIMEOUT = 100_000_000  # seconds
DETACHED = ("package", "uri")  # actions that are one module on the host, which async can leave alone there


class Attempt:
    def __init__(self, work: TaskRun, scope: Scope) -> None:
        self.work = work
        self.run: Run = work.run
        self.task: Task = work.task
        self.host: str = work.host
        self.scope: Scope = scope
        self.single: tuple[Verb, dict[str, Any]] | None = None
        self.detached: float | None = None
        self.apart: float | None = None  # seconds of a module that an action runs beside others
        self.check: bool = self.mode("check_mode", self.run.options.check)
        self.diff: bool = self.mode("diff", self.run.options.diff)

    def mode(self, name: str, default: bool) -> bool:
        raw = self.task.keywords.get(name)
        if raw is None or isinstance(raw, bool):
            return default if raw is None else raw
        value = self.run.keyword_of(self.task, name, self.scope)
        return default if value is None else self.run.flag(value, self.scope)

    async def result(self) -> dict[str, Any]:
        """The judged result. Raises OpsError for arguments that are wrong, Unreachable for a host that is away."""
        verb = self.verb()
        raw = self.raw_arguments(verb)
        seconds = self.work.whole_number("timeout", self.scope, self.run.settings.task_timeout)
        if seconds < 0 or seconds > LONGEST_TIMEOUT:
            raise OpsError(
                "bad-timeout",
                f"Timeout {seconds} is invalid: it is from 0 to {LONGEST_TIMEOUT} seconds",
                self.task.where,
            )
        async with self.work.gate(self.scope):
            work = self.perform(verb, raw)
            result = await self.within(work, float(seconds)) if seconds else await work
        result = normalise(result)
        self.remember_secrets(verb, raw, result)
        return self.judge(result)

    async def within(self, work: Any, seconds: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                return dict(await work)
        except TimeoutError:
            return failure(
                f"Timed out after {seconds:g} second(s).",
                timedout={"frame": "", "period": int(seconds) if seconds == int(seconds) else seconds},
            )

    def verb(self) -> Verb:
        name = self.task.verb
        if "{{" in name:
            name = str(self.run.templar.render(_template(name, self.task), self.scope))
        return self.named_verb(name)

    def named_verb(self, name: str) -> Verb:
        verb = self.run.find_verb(name, self.task)
        if verb is None:
            raise OpsError(
                "unknown-module",
                f"couldn't resolve module/action '{name}'",
                self.task.where,
                self.run.catalog.suggestion(name),
            )
        refuse_plugin(verb, self.task.where)
        return verb

    # -- arguments -----------------------------------------------------------------------------------------------

    def raw_arguments(self, verb: Verb) -> dict[str, Any]:
        """Rendered arguments over module_defaults, with what is omitted gone; not yet typed."""
        given = self.task.args
        variable = given.get("_variable_params")
        if variable is not None:
            given = {key: value for key, value in given.items() if key != "_variable_params"}
            given = {**self.splat(verb, variable), **given}
        return free_form(verb, self.rendered(verb, *self.defaults(verb).items(), *given.items()))

    def splat(self, verb: Verb, template: object) -> Mapping[str, Any]:
        """`args: "{{ a_dictionary }}"`."""
        rendered = self.run.templar.render(template, self.scope)
        if rendered is OMIT:
            return {}
        if not isinstance(rendered, Mapping):
            message = f"Finalization of task args for '{full_name(verb)}' failed: Task args must resolve to a 'dict' not {type_name(rendered)!r}."
            raise TemplateFailed(message, getattr(template, "where", None) or self.task.where, "Give it a dictionary of arguments.")
        return rendered

    def rendered(self, verb: Verb, *given: tuple[str, object]) -> dict[str, Any]:
        args: dict[str, Any] = {}
        for name, value in given:
            rendered = self.render_argument(verb, name, value)
            if rendered is OMIT:
                args.pop(name, None)
            else:
                args[name] = drop_omitted(rendered)
        return args

    def render_argument(self, verb: Verb, name: str, value: object) -> Any:
        if verb.spec is not None and name in getattr(verb.code, "RAW_ARGUMENTS", ()):
            return value
        try:
            return self.run.templar.render(value, self.scope)
        except (Undefined, TemplateFailed) as error:
            error.message = f"Finalization of task args for '{full_name(verb)}' failed: Error while resolving value for '{name}': {error.message}"
            error.where = error.where or self.task.args_where.get(name)
            raise

    def defaults(self, verb: Verb, written: str = "") -> dict[str, Any]:
        raw = self.task.keywords.get("module_defaults")
        if not raw:
            return {}
        from opsplay.engine.module_defaults import defaults_for

        return defaults_for(
            verb, self.task, raw, lambda value: self.run.templar.render(value, self.scope), self.run.catalog, written
        )

    def remember_secrets(self, verb: Verb, raw: Mapping[str, Any], result: dict[str, Any]) -> None:
        """Keep what must not be shown; the arguments are part of the result only for who asked to see them (-vvv)."""
        self.work.secrets |= secrets_in(raw, verb.spec)
        if self.run.settings.verbosity < INVOCATION_FROM:
            result.pop("invocation", None)
        elif "invocation" not in result:
            result["invocation"] = {"module_args": shown_arguments(verb, raw)}

    def single_step(self) -> Step | None:
        """The one step that does the task, or None where it takes more, or less, than a step. Raises OpsError."""
        verb = self.verb()
        if verb.kind not in ("module", "action") or (verb.kind == "action" and not hasattr(verb.code, "first_step")):
            return None
        raw = self.raw_arguments(verb)
        args = typed_arguments(verb.name, verb.spec, raw, self.task.where)  # type: ignore[arg-type]
        if verb.kind == "module":
            if self.check and verb.spec is not None and verb.spec.check == "none":
                return None
            name, body = verb.name, None
        else:
            first = verb.code.first_step(self.context, args)
            if first is None or (self.check and verb.spec is not None and verb.spec.check == "none"):
                return None
            name, args, body = first
            spec = self.run.module_spec(name)
            args = typed_arguments(name, spec, dict(args), self.task.where) if spec is not None else args
        self.single = (verb, raw)
        step = Step(
            name,
            dict(args),
            check=self.check,
            diff=self.diff,
            environment=self.environment,
            body=body,
            secret=self.work.no_log,
        )
        self.run.tell_lines(step, self.work)
        return step

    @property
    def gives_facts(self) -> bool:
        return bool(self.single and self.single[0].spec and self.single[0].spec.facts)

    def of_reply(self, reply: Reply) -> dict[str, Any]:
        """The judged result of a step that was sent by `ahead`."""
        assert self.single is not None
        result = normalise(reply.result if reply.body is None else {**reply.result, "_body": reply.body})
        self.remember_secrets(*self.single, result)
        return self.judge(result)

    # -- doing it ------------------------------------------------------------------------------------------------

    async def perform(self, verb: Verb, raw: dict[str, Any]) -> dict[str, Any]:
        background = self.background()
        if verb.kind == "foreign":
            from opsplay.engine.foreign import run_foreign

            return await run_foreign(self, verb, raw)
        args = typed_arguments(verb.name, verb.spec, raw, self.task.where)  # type: ignore[arg-type]
        if verb.kind == "action":
            if background is not None and verb.name not in DETACHED:
                return failure(f"This action ({verb.name}) does not support async.")
            self.detached = background
            try:
                return dict(await verb.code.act(self.context, args))
            except ModuleFailure as failed:
                return failure(failed.msg, **failed.result)
        if self.check and verb.spec is not None and verb.spec.check == "none":
            return skipped(f"remote module ({verb.name}) does not support check mode") | {
                "msg": f"remote module ({verb.name}) does not support check mode"
            }
        return await self.module(verb.name, args, background=background)

    async def module(
        self, name: str, args: Mapping[str, Any], body: bytes | None = None, check: bool | None = None, target: Target | None = None,
        background: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        target = target or self.target
        step = Step(
            name, dict(args), check=self.check if check is None else check, diff=self.diff, environment=self.environment,
            body=body, secret=self.work.no_log, background=background, deadline=self.deadline(),
            beside=self.work.beside and not (name in ("_receive", "_copy") and "token" in args),  # a transfer has one process
        )  # fmt: skip
        self.run.tell_lines(step, self.work)
        if name == "user" and args.get("state") == "absent":
            await target.end_user(str(args["name"]))  # a kept interpreter of that user would hold the account
        result = await target.run(step)
        if background is not None and not result.get("failed"):
            return await self.poll(result, target, background)
        return result

    def deadline(self) -> float | None:
        seconds = self.task.keywords.get("timeout")
        return float(seconds) if isinstance(seconds, (int, float)) and seconds else None

    def background(self) -> float | None:
        if self.apart is not None:
            return self.apart
        raw = self.task.own.get("async")
        seconds = self.work.value(raw, self.scope) if raw is not None else 0
        return float(seconds) if seconds and int(seconds) > 0 and not self.check else None

    async def poll(self, started: dict[str, Any], target: Target, seconds: float) -> dict[str, Any]:
        """poll > 0: ask until the job is over or its time is up."""
        raw = 0.1 if self.apart is not None else self.task.own.get("poll")
        every = float(self.work.value(raw, self.scope) if raw is not None else 15)
        job = started.get("ansible_job_id")
        if every <= 0 or job is None:
            return {"changed": True, **started}
        left = seconds
        while left > 0:
            await asyncio.sleep(min(every, left))
            left -= every
            result = await target.run(Step("async_status", dict(jid=job, mode="status")))
            if result.get("finished"):
                await target.run(Step("async_status", dict(jid=job, mode="cleanup")))
                return {**result, "ansible_job_id": job}
        return failure(
            f"async task did not complete within the requested time - {int(seconds)}s",
            ansible_job_id=job,
            async_result=started,
        )

    @cached_property
    def environment(self) -> dict[str, str]:
        merged: dict[str, str] = {}
        for item in self.task.keywords.get("environment", ()):  # type: ignore[attr-defined]
            rendered = self.known_now(item) if self.task.implicit else self.run.templar.render(item, self.scope)
            for one in rendered if isinstance(rendered, list) else [rendered]:
                if isinstance(one, Mapping):
                    merged.update(
                        {str(key): str(value) for key, value in one.items() if value is not OMIT and value is not None}
                    )
                elif one not in (None, OMIT, ""):
                    raise OpsError(
                        "bad-environment",
                        f"environment must be a dictionary, received {one}",
                        self.task.where,
                        "Write environment: {NAME: value}",
                    )
        return merged

    def known_now(self, item: Any) -> Any:
        """While facts are gathered: an environment made of facts leaves out what is not known yet."""
        known: dict[str, Any] = {}
        for name, value in item.items() if isinstance(item, dict) else ():
            with contextlib.suppress(Undefined):
                known[name] = self.run.templar.render(value, self.scope)
        return known

    @cached_property
    def target(self) -> Target:
        """Where modules of this task run: the host, or the one it is delegated to."""
        delegate = self.delegate()
        if delegate is None or delegate is OMIT:
            return self.run.target(self.host, self.scope, self.task)
        self.work.delegated = str(delegate)
        return self.delegated_target(str(delegate))

    def delegate(self) -> object:
        """Whom delegate_to names: read once for an attempt, for its template may say another host each time."""
        chosen: Any = self.scope.temporary.get("ansible_delegated_vars")
        raw = self.task.keywords.get("delegate_to")
        if raw is None or chosen:
            return next(iter(chosen)) if raw is not None else None
        return self.run.templar.render(raw, self.scope)

    def delegated_target(self, host: str) -> Target:
        scope = self.run.store.scope(host, self.work.walk.play_run.vars, self.task, None, self.work.walk.params)
        return self.run.target(host, scope, self.task, self.host)

    @cached_property
    def context(self) -> Any:
        from opsplay.engine.task_context import TaskContext

        return TaskContext(self)

    # -- judging it ----------------------------------------------------------------------------------------------

    def judge(self, result: dict[str, Any]) -> dict[str, Any]:
        """changed_when and failed_when over the result."""
        self.note_python()
        if self.run.foresees and is_unknown(result := foreseen(result)):
            return result
        changed_when, failed_when = self.task.own.get("changed_when"), self.task.own.get("failed_when")
        if result.get("failed"):
            result.setdefault("exception", NO_TRACEBACK)
        if (changed_when is None and failed_when is None) or result.get("skipped"):
            return result
        if self.work.number:
            result["attempts"] = self.work.number
        scope = self.judging_scope(result)
        judged = "changed_when_result"
        try:
            if changed_when is not None:
                result["changed"] = self.holds(changed_when, scope)
            judged = "failed_when_result"
            if failed_when is not None and not result.get("unreachable"):
                result["failed_when_result"] = result["failed"] = self.holds(failed_when, scope)
        except UnknownValue as error:
            return unknown(error.message)
        except OpsError as error:
            result.update(failed=True, msg=result.get("msg") or error.message)
            result[judged] = error.message
        return self.explained(result)

    @staticmethod
    def explained(result: dict[str, Any]) -> dict[str, Any]:
        """`exception` beside `failed`, and under another name where failed_when says that it is no failure."""
        if result["failed"]:
            result.setdefault("exception", NO_TRACEBACK)
        elif "exception" in result:
            result["failed_when_suppressed_exception"] = result.pop("exception")
        return result

    def note_python(self) -> None:
        """`discovered_interpreter_python`: the fact that tells what was found, where it was left to us to look for one."""
        facts = self.run.store.memory(self.host).facts
        target: Target | None = self.__dict__.get("target")
        if DISCOVERED in facts or target is None or self.work.delegated or target.address.python not in DISCOVERY:
            return
        if found := target.executable:
            self.run.store.memory(self.host).learn_facts({DISCOVERED: found})

    def judging_scope(self, result: dict[str, Any]) -> Scope:
        return self.scope.with_(**{self.task.register: result}) if self.task.register else self.scope

    def holds(self, conditions: Any, scope: Scope) -> bool:
        return all(self.run.templar.condition(expression, scope, where) for expression, where in conditions)


def as_written(value: Any) -> Any:
    """An argument that was not rendered, as its text: no Template may get into a result, where it would be one again."""
    if isinstance(value, dict):
        return {key: as_written(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_written(item) for item in value]
    text = getattr(value, "source", getattr(value, "ciphertext", value))
    return str.__str__(text) if isinstance(text, str) else text


def full_name(verb: Verb) -> str:
    return f"ansible.builtin.{verb.name}" if "." not in verb.name else verb.name


def free_form(verb: Verb, args: dict[str, Any]) -> dict[str, Any]:
    """`_raw_params` goes to the argument that takes free text."""
    if "_raw_params" not in args or verb.spec is None:
        return args
    if verb.spec.free_form:
        args.setdefault(verb.spec.free_form, args["_raw_params"])
        del args["_raw_params"]
    return args


def _template(text: str, task: Task) -> object:
    from opsplay.templating.template import template_or_text

    return template_or_text(text, task.where)


def shown_arguments(verb: Verb, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with secrets masked, and what the action renders by itself as it was written."""
    if verb.spec is None:
        return dict(raw)
    untemplated = getattr(verb.code, "RAW_ARGUMENTS", ())
    masked = {name for name, argument in verb.spec.args.items() if argument.secret} | set(getattr(verb.code, "UNSHOWN_ARGUMENTS", ()))
    return {
        name: MASK if name in masked and value else as_written(value) if name in untemplated else value for name, value in raw.items()
    }
