"""TaskContext: what the engine gives to actions; see actions/context.py for the interface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions.arguments import typed_arguments
from opsplay.engine.target import Target
from opsplay.errors import OpsError
from opsplay.events import Message, Notice, StatsSet
from opsplay.model.reserved import reserved_names
from opsplay.transport.protocol import Step

if TYPE_CHECKING:
    from opsplay.engine.attempt import Attempt
    from opsplay.engine.run import Run
    from opsplay.settings import Settings
    from opsplay.templating.templar import Templar
    from opsplay.variables.scope import Scope


class TaskContext:
    def __init__(self, attempt: Attempt, host: str | None = None, target: Target | None = None) -> None:
        self.attempt = attempt
        self.run: Run = attempt.run
        self.task = attempt.task
        self.scope: Scope = attempt.scope
        self.host: str = host or attempt.host
        self.check: bool = attempt.check
        self.diff: bool = attempt.diff
        self.settings: Settings = attempt.run.settings
        self.templar: Templar = attempt.run.templar
        self.role_path = attempt.task.role.path if attempt.task.role else None
        self.playbook_dir = attempt.work.walk.play_run.vars.playbook_dir
        self.is_read = bool(attempt.task.register) or self.settings.verbosity > 0 or self.settings.compatible
        self._target = target

    @property
    def task_name(self) -> str:
        return self.run.task_title(self.task, self.scope)

    @property
    def inventory(self) -> Any:
        return self.run.inventory

    @property
    def target(self) -> Target:
        return self._target or self.attempt.target

    def render(self, value: object) -> Any:
        return self.templar.render(value, self.scope)

    def condition(self, expression: object) -> bool:
        return self.templar.condition(expression, self.scope)

    def find_file(self, subdir: str, name: str) -> Path:
        return self.run.find_file(self.task, self.playbook_dir, subdir, name)

    async def module(
        self, name: str, args: Mapping[str, Any], body: bytes | None = None, check: bool | None = None
    ) -> dict[str, Any]:
        spec = self.run.module_spec(name)
        typed = typed_arguments(name.lstrip("_"), spec, dict(args), self.task.where) if spec is not None else dict(args)
        return await self.attempt.module(name, typed, body, check, self._target, self.attempt.detached)

    async def another(self, name: str, args: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        attempt = type(self.attempt)(self.attempt.work, self.scope)
        attempt.apart = seconds
        verb = attempt.named_verb(name)
        given = attempt.rendered(verb, *attempt.defaults(verb, name).items(), *args.items())
        return await attempt.perform(verb, given)

    async def raw_command(self, command: str, timeout: float | None = None) -> dict[str, Any]:
        target = self.target
        transport = await self.run.connections.transport(target.address)
        return await transport.exec(command, target.become, b"", timeout)

    async def transport(self) -> Any:
        return await self.run.connections.transport(self.target.address)

    async def stream(self, target: tuple[str, int] | str, become: bool = True) -> Any:
        transport = await self.transport()
        return transport.forward(target, self.target.become if become else None)

    def delegated(self, host: str) -> TaskContext:
        return TaskContext(self.attempt, self.host, self.attempt.delegated_target(host))

    async def reconnect(self) -> None:
        await self.target.drop()

    def fact(self, name: str, default: Any = None) -> Any:
        return self.run.store.memory(self.host).facts.get(name, default)

    def set_facts(self, facts: Mapping[str, Any], cacheable: bool = False) -> None:
        self.warn_reserved(facts)
        for host in self.fact_hosts():
            memory = self.run.store.memory(host)
            memory.set_facts.update(facts)
            if cacheable:
                memory.learn_facts(facts)
        self.scope.cache.clear()

    def warn_reserved(self, names: Iterable[str]) -> None:
        for text in reserved_names(names, {}, self.task.where):
            self.run.warn(text)

    def set_variables(self, variables: Mapping[str, object], source: str = "") -> None:
        self.warn_reserved(variables)
        for host in self.fact_hosts():
            self.run.store.memory(host).included.update(variables)
        self.scope.cache.clear()

    def fact_hosts(self) -> list[str]:
        delegated = (
            self.attempt.task.keywords.get("delegate_facts") and self.attempt.target and self.attempt.work.delegated
        )
        host = self.attempt.work.delegated if delegated else self.host
        turn = self.attempt.work.turn
        return self.attempt.work.walk.play_run.batch_left() if turn.for_all and not delegated else [host]

    def set_stats(self, data: Mapping[str, Any], per_host: bool, aggregate: bool) -> None:
        self.run.emit(StatsSet(time.time(), self.host if per_host else "", dict(data), aggregate))

    def add_host(self, name: str, groups: list[str], variables: Mapping[str, Any]) -> bool:
        return self.run.add_host(name, groups, variables)

    def group_by(self, group: str, parents: list[str]) -> bool:
        return self.run.group_by(self.host, group, parents)

    def notice(self, level: str, text: str) -> None:
        self.run.emit(Notice(time.time(), level, text, str(self.task.where), self.host))

    def say(self, text: str) -> None:
        self.run.emit(Message(time.time(), self.host, text))

    async def ask(
        self, prompt: str, echo: bool = True, seconds: float | None = None, pausing: bool = False
    ) -> str | None:
        return await self.run.ask(prompt, echo, seconds, pausing)

    async def step(self, step: Step) -> dict[str, Any]:
        return await self.target.run(step)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def missing_file(self, name: str, looked: list[Path]) -> OpsError:
        return self.run.missing_file(self.task, name, looked)
