"""Run: playbooks on an inventory: the parts put together, plays one after the other, the outcome at the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any

from opsplay.engine.addresses import address_for, become_for
from opsplay.engine.connections import Connections, Open
from opsplay.engine.play_run import PlayRun
from opsplay.engine.profile import Profile
from opsplay.engine.results import masked
from opsplay.engine.selection import Steps
from opsplay.engine.target import Target
from opsplay.errors import OpsError
from opsplay.events import (
    Event,
    FactsGathered,
    HandlerPending,
    Listener,
    Notice,
    OutputLine,
    PlaybookFinished,
    RunFinished,
)
from opsplay.inventory.inventory import LOCALHOST
from opsplay.inventory.live import LiveInventory
from opsplay.lazy_dataclass import dataclass
from opsplay.model.building import Workshop
from opsplay.model.catalog import Catalog, Verb
from opsplay.model.play import Play, Playbook, Task, pattern_text
from opsplay.model.search import find_file, missing_file
from opsplay.plan.fail_limit import FailLimit
from opsplay.remote.spec import Spec
from opsplay.settings import Settings
from opsplay.signals import interruptible
from opsplay.templating.layer import VarLayer
from opsplay.templating.omit import OMIT
from opsplay.templating.scope import MISSING
from opsplay.templating.templar import Templar
from opsplay.templating.template import Template
from opsplay.templating.unknown import UnknownValue
from opsplay.transport.protocol import Address, Step
from opsplay.truth import truth
from opsplay.variables.scope import Scope
from opsplay.variables.store import Options, VariableStore

Ask = Callable[[str, bool, float | None], str | None]
OK, FAILED, UNREACHABLE, ERROR, FAULT, INTERRUPTED = 0, 2, 4, 1, 3, 130


class Stopped(Exception):
    """The operator interrupted the run."""


@dataclass
class Run:
    """Everything that a run shares. `listeners` hear every event, in order, before anything is done about it."""

    settings: Settings
    options: Options
    live: LiveInventory
    store: VariableStore
    templar: Templar
    catalog: Catalog
    connections: Connections
    listeners: list[Listener]
    asker: Ask | None = None
    secrets: set[str] = field(default_factory=set)
    debugging: asyncio.Lock = field(default_factory=asyncio.Lock)  # held by the task that the operator is asked about
    remarks: set[tuple[str, str]] = field(default_factory=set)  # warnings of results that were told
    failed: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    announced: set[str] = field(default_factory=set)
    live_after: float | None = None  # seconds after which a command counts as long, and its lines are told as they come
    fail_limit: FailLimit | None = None
    named: set[str] = field(default_factory=set)  # hosts that a play has named so far
    stopped: str = ""  # why nothing more is begun
    pending: tuple[HandlerPending, ...] = ()  # handlers that earlier runs have left
    profile: Profile | None = None  # set to count where the time goes
    stopping: bool = False
    started: bool = False  # the task of --start-at-task was met
    _gates: dict[object, asyncio.Semaphore] = field(default_factory=dict)
    _addresses: dict[object, Target] = field(default_factory=dict)
    _steering: dict[int, bool] = field(default_factory=dict)

    @property
    def inventory(self) -> Any:
        return self.live.current

    @property
    def foresees(self) -> bool:
        """Whether this is a check run that tells what it cannot know; the drop-ins skip it, as Ansible does."""
        return self.options.check and not self.settings.compatible

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    @cached_property
    def steps(self) -> Steps:
        return Steps(self)

    # -- plays ---------------------------------------------------------------------------------------------------

    async def playbooks(self, playbooks: Sequence[tuple[Playbook, Workshop]]) -> int:
        """Run the playbooks' plays in order; the documented exit code."""
        try:
            for playbook, workshop in playbooks:
                going_on = await self.plays(playbook, workshop)
                self.emit(PlaybookFinished(time.time(), playbook.path))
                if not going_on:
                    break
            return self.exit_code()
        finally:
            self.store.keep_facts()
            await self.connections.close()

    async def plays(self, playbook: Playbook, workshop: Workshop) -> bool:
        """Whether anything may follow."""
        for notice in workshop.notices:
            self.warn(notice)
        workshop.notices.clear()
        for play in playbook.plays:
            if not await self.play(play, workshop):
                return False
        return True

    def exit_code(self) -> int:
        if self.unreachable:
            return UNREACHABLE
        return FAILED if self.failed else OK

    async def play(self, play: Play, workshop: Workshop) -> bool:
        """Whether the next play may run."""
        workshop.playbook_dir = Path(play.playbook).parent.absolute()
        workshop.play_layers = play.layers
        hosts = self.hosts_of(play)
        prompted = self.prompt(play)
        gone = self.failed | self.unreachable
        left = [host for host in hosts if host not in gone]
        if not left:
            play_run = PlayRun(self, play, workshop, [], prompted)
            await play_run.go()
            return not hosts or not gone
        play_run = PlayRun(self, play, workshop, left, prompted, hosts)
        await play_run.go()
        self.store.keep_facts()
        return not play_run.broken

    def hosts_of(self, play: Play) -> list[str]:
        """The play's hosts by pattern and --limit. Raises OpsError for a pattern that cannot be resolved."""
        scope = self.store.scope("localhost", None).with_(**dict(_layer_values(play.layers)))
        try:
            rendered = self.templar.render(play.hosts, scope)
        except UnknownValue as error:
            self.warn(f"the hosts of this play are not known: {error.message}", str(play.where))
            return []
        items = rendered if isinstance(rendered, (list, tuple)) else [rendered]
        pattern = ",".join(str(item) for item in items if item is not None)
        if not pattern:
            raise OpsError(
                "no-hosts",
                "Hosts list cannot be empty. Please check your playbook",
                play.where,
                "Write hosts: all, or a group's name.",
            )
        return list(self.inventory.select(pattern, self.options.limit, lambda text: self.warn(text, str(play.where))))

    def known(self, play: Play, value: object) -> object:
        """The value as far as the play's own variables and the command line's say it; a Template where they do not."""
        variables = {**_layer_values(play.layers), **self.store.extra.values}
        try:
            return self.templar.render(value, self.store.scope("localhost", None).with_(**variables))
        except OpsError:
            return Template("")

    def prompt(self, play: Play) -> VarLayer:
        from opsplay.engine.prompts import ask_variables

        return ask_variables(
            play,
            self.store.extra,
            self.ask_now,
            lambda value: self.templar.render(value, self.store.scope("localhost")),
        )

    def warn(self, text: str, where: str = "", host: str = "") -> None:
        self.emit(Notice(time.time(), "warning", text, where, host))

    def tell_connection(self, text: str, host: str) -> None:
        self.emit(Notice(time.time(), "info", f"<{host}> {text}", "", host))

    def stop(self) -> None:
        self.stopping = True

    def check_stop(self) -> None:
        if self.stopping:
            raise asyncio.CancelledError

    def check_failures(self) -> bool:
        """Whether --max-fail is exceeded: then nothing more is begun."""
        gone = self.failed | self.unreachable
        if self.fail_limit is not None and not self.stopped and self.fail_limit.exceeded(len(gone), len(self.named)):
            self.stopped = self.fail_limit.reason(gone, len(self.named))
            self.warn(self.stopped)
        return bool(self.stopped)

    # -- values --------------------------------------------------------------------------------------------------

    def walk_scope(self, play_run: PlayRun, host: str, task: Task) -> Scope:
        return self.store.scope(host, play_run.vars, task)

    def flag(self, raw: Any, scope: Scope) -> bool:
        """A keyword's truth. Raises OpsError for a value that is neither yes nor no."""
        value = self.templar.render(raw, scope)
        flag = False if str(value).strip().lower() == "none" else truth(value)
        if flag is None:
            raise OpsError("bad-keyword-value", f"The value {value!r} could not be converted to 'bool'.", remedy="Write true or false.")
        return flag

    def keyword_of(self, task: Task, name: str, scope: Scope) -> Any:
        """A keyword in force, rendered; one that is `omit` is what the task's parents say."""
        for words in (task.keywords, task.inherited):
            raw = words.get(name)
            value = raw if raw is None else self.templar.render(raw, scope)
            if value is not OMIT:
                return value
        return None

    def with_items(self, kind: str, terms: Any, scope: Scope) -> list[Any]:
        """The items of with_KIND, by the lookup of that name."""
        listed = terms if isinstance(terms, list) else [terms]
        if kind == "items":
            return [item for term in listed for item in (term if isinstance(term, list) else [term])]
        return self.templar.lookup(kind, listed if not isinstance(terms, Mapping) else [terms], scope, wantlist=True)

    def task_title(self, task: Task, scope: Scope) -> str:
        """The name as shown: what cannot be resolved yet stays as written."""
        if isinstance(task.name, Template):
            try:
                return str(self.templar.render(task.name, scope))
            except OpsError:
                return task.name.source
        if task.name:
            return str(task.name)
        role = task.args.get("name", task.args.get("role")) if task.verb == "include_role" else None
        return task.written if role is None else f"{task.written} : {getattr(role, 'source', role)}"

    def find_verb(self, name: str, task: Task) -> Verb | None:
        collections = task.keywords.get("collections", ())
        library = (str(Path(task.role.path) / "library"),) if task.role else ()
        return self.catalog.find(name, tuple(str(item) for item in collections), library)  # type: ignore[attr-defined]

    def module_spec(self, name: str) -> Spec | None:
        import importlib

        return getattr(importlib.import_module(f"opsplay.remote.modules.{name}"), "SPEC", None)

    # -- hosts ---------------------------------------------------------------------------------------------------

    def target(self, host: str, scope: Scope, task: Task, asking: str = "") -> Target:
        """Where a task's modules go; `asking` delegates to it. Kept for tasks whose variables do not steer the connection."""
        words = task.keywords
        key = (
            host,
            bool(asking),
            *(repr(words.get(name)) for name in CONNECTION_WORDS),
            task.role.uid if task.role else 0,
        )
        plain = (
            not any(self.steers(mapping) for mapping in scope.chain)
            and not scope.temporary
            and not any(isinstance(words.get(name), Template) for name in CONNECTION_WORDS)
        )
        if plain and key in self._addresses:
            return self._addresses[key]
        own = scope.with_(inventory_hostname=asking) if asking else None
        rendered = {
            name: value for name in CONNECTION_WORDS if (value := self.keyword_of(task, name, own or scope)) is not None
        }
        target = self.make_target(host, scope, rendered, own)
        if plain:
            self._addresses[key] = target
        return target

    def make_target(self, host: str, scope: Scope, words: Mapping[str, Any], own: Scope | None = None) -> Target:
        """`words` are the connection keywords in force, rendered. Where a host delegates to this one, what the task says
        is read in its `own` scope: there inventory_hostname is the host that asks, while in the inventory it is this one."""

        def read(*names: str) -> Any:
            for name in names:
                if scope.given(name) is not MISSING:
                    return self.templar.resolve_plain(name, scope if own is None or self.fixed(name, scope) else own)
            return None

        delegated = own is not None
        rendered = dict(words)
        implicit = host in LOCALHOST and host not in self.inventory.hosts
        if implicit or delegated:
            rendered.pop("port", None)
        if delegated and implicit:
            rendered.pop("connection", None)
        address = address_for(host, read, rendered, self.settings, self.options, implicit)
        become = become_for(read, rendered, self.settings, self.options)
        for secret in (address.password, address.private_key_passphrase, become.password if become else None):
            if secret:
                self.secrets.add(secret)
        return Target(self.connections, address, become)

    def fixed(self, name: str, scope: Scope) -> bool:
        """Whether the variable comes from the inventory or the command line."""
        return next((id(mapping) in self._fixed_layers for mapping in scope.chain if name in mapping), False)

    def steers(self, mapping: Mapping[str, object]) -> bool:
        """Whether task or role variables, or set_fact, name the connection; inventory and extra vars hold for all tasks."""
        if isinstance(mapping, dict) and id(mapping) in self._fixed_layers:
            return False
        return any(isinstance(name, str) and name.startswith("ansible_") and name not in HARMLESS for name in mapping)

    @property
    def _fixed_layers(self) -> set[int]:
        return self.store.fixed_layers

    def learn_facts(self, host: str, facts: Mapping[str, Any], gathered: bool = False) -> None:
        memory = self.store.memory(host)
        memory.learn_facts(facts)
        if gathered:
            memory.mark_gathered()
            self.store.keep_facts((host,))
        self.emit(FactsGathered(time.time(), host, facts))

    def add_host(self, name: str, groups: list[str], variables: Mapping[str, Any]) -> bool:
        changed = self.live.add_host(name, groups, variables)
        self.store.inventory_changed()
        self._addresses.clear()
        return changed

    def group_by(self, host: str, group: str, parents: list[str]) -> bool:
        changed = self.live.group_by(host, group, parents)
        self.store.inventory_changed()
        return changed

    async def refresh_inventory(self) -> None:
        await asyncio.to_thread(self.live.refresh)
        self.store.inventory_changed()
        self._addresses.clear()

    @contextlib.asynccontextmanager
    async def gate(self, work: Any, scope: Scope) -> AsyncIterator[None]:
        """`throttle` and `forks`: how many hosts do a task at a time."""
        throttle = work.whole_number(
            "throttle", scope
        )  # a wrong one ends the run: there is no saying how many may start
        limits: list[tuple[object, int]] = []
        if throttle > 0:
            limits.append((work.task.uid, throttle))
        if self.settings.forks > 0:
            limits.append(("forks", self.settings.forks))
        async with contextlib.AsyncExitStack() as stack:
            for key, size in limits:
                gate = self._gates.setdefault(key, asyncio.Semaphore(size))
                await stack.enter_async_context(gate)
            yield

    # -- files and people ----------------------------------------------------------------------------------------

    def find_file(self, task: Task, playbook_dir: str, subdir: str, name: str) -> Path:
        return find_file(task, playbook_dir, subdir, name)

    def missing_file(self, task: Task, name: str, looked: Iterable[Path]) -> OpsError:
        return missing_file(task, name, looked)

    def tell_lines(self, step: Step, work: Any) -> None:
        """Ask for the output of a long command line by line, secrets masked."""
        if self.live_after is None or step.module not in LIVE or work.no_log:
            return

        def tell(stream: str, line: str) -> None:
            self.emit(OutputLine(time.time(), work.task.uid, work.host, stream, str(masked(line, self.secrets | work.secrets))))

        step.on_line, step.lines_after = tell, self.live_after

    def ask_now(self, prompt: str, echo: bool = True, seconds: float | None = None) -> str | None:
        if self.asker is None:
            return None
        with interruptible():
            return self.asker(prompt, echo, seconds)

    async def ask(
        self, prompt: str, echo: bool = True, seconds: float | None = None, pausing: bool = False
    ) -> str | None:
        """The same while hosts are served; an operator who never answers does not keep the program from ending."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()
        question: tuple[Any, ...] = (prompt, echo, seconds, *((True,) if pausing else ()))

        def put(done: Callable[[Any], None], value: object) -> None:
            if not answer.done():
                done(value)

        def tell(done: Callable[[Any], None], value: object) -> None:
            with contextlib.suppress(RuntimeError):  # the run is over
                loop.call_soon_threadsafe(put, done, value)

        def work() -> None:
            try:
                tell(answer.set_result, self.asker(*question) if self.asker else None)
            except Exception as error:
                tell(answer.set_exception, error)

        threading.Thread(target=work, name="asking", daemon=True).start()
        return await answer


LIVE = frozenset({"command", "shell", "_script"})  # modules that print what people want to see as it comes
CONNECTION_WORDS = (
    "connection",
    "port",
    "remote_user",
    "become",
    "become_user",
    "become_method",
    "become_flags",
    "become_exe",
)
HARMLESS = frozenset(
    {"ansible_failed_task", "ansible_failed_result", "ansible_loop_var", "ansible_index_var", "ansible_loop"}
)


def _layer_values(layers: tuple[VarLayer, ...]) -> dict[str, object]:
    values: dict[str, object] = {}
    for layer in layers:
        values.update(layer.values)
    return values


def finished(run_id: str, code: int, begun: float, error: str = "") -> RunFinished:
    outcome = {OK: "ok", FAILED: "failed", UNREACHABLE: "unreachable", INTERRUPTED: "interrupted"}.get(code, "error")
    return RunFinished(time.time(), run_id, outcome, code, time.monotonic() - begun, error)


__all__ = ["Address", "Open", "Run", "finished", "pattern_text"]
