"""PlayRun: one play: its hosts, its batches, its handlers, and what failures do to the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from opsplay.engine.conductor import BYPASSING, Conductor, Free, Linear, Turn
from opsplay.engine.handlers import Handlers
from opsplay.engine.includes import Includes
from opsplay.engine.outcomes import BreakPlay, EndBatch, RunStopped, TaskFailed, Unreadable
from opsplay.engine.results import failure
from opsplay.engine.selection import skipped_before
from opsplay.engine.vars_files import load_vars_files
from opsplay.engine.walk import Walk
from opsplay.errors import OpsError
from opsplay.events import BatchStarted, PlayFinished, PlayStarted, TaskStarted
from opsplay.model.building import Workshop
from opsplay.model.play import Entry, Play, RoleRef, Task
from opsplay.plan.batches import batches_of, ordered
from opsplay.plan.play_values import pace_of, placed
from opsplay.plan.tags import is_selected
from opsplay.templating.layer import VarLayer
from opsplay.templating.omit import OMIT
from opsplay.templating.template import Template
from opsplay.variables.scope import Scope
from opsplay.variables.store import PlayVars

if TYPE_CHECKING:
    from opsplay.engine.run import Run


Judged = TypeVar("Judged")


class PlayRun:
    def __init__(
        self, run: Run, play: Play, workshop: Workshop, hosts: list[str], prompted: VarLayer, meant: Sequence[str] | None = None
    ) -> None:
        """`hosts` it runs on; `meant` are those of its pattern that failed in an earlier play, too."""
        self.run = run
        self.play = play
        self.workshop = workshop
        self.hosts = hosts
        self.batch: list[str] = list(hosts)
        self.failed: set[str] = set()
        self.lost: set[str] = set()
        self.ended = False
        self.batch_ended = False
        self.public: tuple[RoleRef, ...] = ()  # roles included with `public`, for the rest of the play, on all its hosts
        self.broken = False
        self.too_many_failed = False
        self.gathered = False
        self.handlers = Handlers(self, play.handlers)
        self.includes = Includes(self)
        self.gathering: tuple[Entry, ...] = ()
        self.walks: dict[str, Walk] = {}
        self.walking = 0  # how many of them are under way, the parked ones among them
        self.parked: dict[str, asyncio.Future[bool]] = {}  # lost hosts
        self.conductor: Conductor = None  # type: ignore[assignment] # a batch has one
        self._selected: dict[str, bool] = {}
        self.before_start = self._before_start()
        self.vars = PlayVars(
            play=play, name=play.title, playbook_dir=str(workshop.playbook_dir), hosts_all=tuple(hosts if meant is None else meant),
            layers=(*play.layers, *((prompted,) if prompted else ())), hosts_left=self.hosts_left, batch_left=self.batch_left,
        )  # fmt: skip

    def _before_start(self) -> frozenset[str]:
        if self.run.started or not self.run.options.start_at:
            return frozenset()
        before, self.run.started = skipped_before(self.play, self.run.options.start_at)
        return before

    # -- who is left ---------------------------------------------------------------------------------------------

    def gone(self) -> set[str]:
        return self.failed | self.lost

    def hosts_left(self) -> list[str]:
        gone = self.gone()
        return [host for host in self.hosts if host not in gone]

    def batch_left(self) -> list[str]:
        gone = self.gone()
        return [host for host in self.batch if host not in gone]

    def expose(self, roles: tuple[RoleRef, ...]) -> None:
        known = {role.uid for role in self.public}
        self.public = (*self.public, *(role for role in roles if role.uid not in known))

    def fail(self, host: str) -> None:
        self.failed.add(host)
        self.run.failed.add(host)

    def lose(self, host: str) -> None:
        self.lost.add(host)
        self.run.unreachable.add(host)

    note_failed = fail

    def note_lost(self, host: str) -> None:
        self.lose(host)

    async def revived(self, host: str) -> bool:
        """A lost host waits where it is, for meta: clear_host_errors; False once nobody is left who could say it."""
        self.lose(host)
        self.conductor.leave(host)
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.parked[host] = waiting
        self.give_up_parked()
        return await waiting

    def walked(self) -> None:
        """A host's walk is over."""
        self.walking -= 1
        self.give_up_parked()

    def give_up_parked(self) -> None:
        if len(self.parked) >= self.walking:
            self.end_parking(False)

    def end_parking(self, goes_on: bool) -> None:
        parked, self.parked = self.parked, {}
        for host, waiting in parked.items():
            if not waiting.done():
                if goes_on:
                    self.conductor.join(host)
                waiting.set_result(goes_on)

    def clear_errors(self) -> None:
        for walk in self.walks.values():
            walk.cleared = True
        self.failed.clear()
        self.lost.clear()
        self.run.unreachable.difference_update(self.hosts)
        self.run.failed.difference_update(self.hosts)
        self.end_parking(True)

    # -- the play ------------------------------------------------------------------------------------------------

    async def go(self) -> None:
        """Run every batch; what failed is in `failed` and `lost`. `broken` asks that no later play runs."""
        self.run.named.update(self.hosts)
        self.run.emit(PlayStarted(time.time(), self.title(), str(self.play.where), tuple(self.hosts)))
        hosts = self.judged("order", lambda order: ordered(self.hosts, order, self.run.inventory))
        for batch in self.judged("serial", lambda serial: batches_of(hosts, serial)):
            batch = [host for host in batch if host not in self.gone()]
            if not batch:
                continue
            await self.run_batch(batch)
            if len(self.gone() & set(batch)) == len(batch) or self.run.check_failures():
                self.broken = True
            if self.ended or self.broken:
                break
        self.run.emit(PlayFinished(time.time(), self.title(), self.too_many_failed))

    async def run_batch(self, batch: list[str]) -> None:
        self.batch = batch
        self.batch_ended = False
        self.run.emit(BatchStarted(time.time(), self.title(), tuple(batch)))
        self.conductor = self.strategy(batch)
        for host in batch:
            load_vars_files(self, host, final=False)
        self.gathering = self.gathering_task()
        self.walks = {host: Walk(self, host) for host in batch}
        self.walking = len(self.walks)
        walks = [asyncio.ensure_future(walk.go()) for walk in self.walks.values()]
        try:
            await asyncio.gather(*walks)
        except Unreadable as found:
            raise found.error from None
        finally:
            for walk in walks:
                walk.cancel()
            await asyncio.gather(*walks, return_exceptions=True)

    @cached_property
    def debugs(self) -> bool:
        """Whether the operator is asked about each task that fails."""
        strategy = self.value("strategy") or self.run.settings.strategy
        return self.run.settings.enable_task_debugger or str(strategy).rpartition(".")[2] == "debug"

    def strategy(self, batch: list[str]) -> Conductor:
        pace = self.judged("strategy", lambda value: pace_of(value or self.run.settings.strategy))
        if pace == "linear":
            return Linear(batch, self.begin)
        return Free(batch, self.begin_once, self.run.settings.forks if pace == "host_pinned" else 0)

    def judged(self, name: str, judge: Callable[[Any], Judged]) -> Judged:
        """What a keyword's value comes to. Raises OpsError with the value's place."""
        try:
            return judge(self.value(name))
        except OpsError as error:
            raise placed(error, self.play, name) from None

    def begin(self, turn: Turn) -> None:
        """Announce a task that begins; meta tasks and those of includes stay silent or follow at the end."""
        task = turn.task
        if task.verb in ("include_tasks", "include_role"):
            turn.on_over.append(self.includes.announce)
        if task.verb == "meta" and not task.is_handler:
            return
        scope = self.walks[turn.leader].scope(task)
        if self.run.options.step and not task.implicit and not self.run.steps.take(self.run.task_title(task, scope)):
            turn.left_out = True
            return
        self.announce(turn)

    def announce(self, turn: Turn) -> None:
        task = turn.task
        scope = self.walks[turn.leader].scope(task)
        role = task.role.full_name if task.role else ""
        self.run.emit(
            TaskStarted(
                time.time(), task.uid, self.run.task_title(task, scope), task.written, str(task.where), role, task.is_handler,
                tuple(str(getattr(tag, "source", tag)) for tag in task.keywords.get("tags", ())), self.shown_args(task),  # type: ignore[attr-defined]
                tuple(turn.hosts[:1] if task.keywords.get("run_once") or task.verb in BYPASSING else turn.hosts),
            )
        )  # fmt: skip

    def shown_args(self, task: Task) -> Mapping[str, Any]:
        if not self.run.settings.display_args_to_stdout or task.keywords.get("no_log"):
            return {}
        return {name: getattr(value, "source", value) for name, value in task.args.items()}

    def begin_once(self, turn: Turn) -> None:
        if turn.task.uid not in self.run.announced:
            self.run.announced.add(turn.task.uid)
            self.begin(turn)
        elif turn.task.verb in ("include_tasks", "include_role"):
            turn.on_over.append(self.includes.announce)

    def gathering_task(self) -> tuple[Entry, ...]:
        wanted = self.value("gather_facts")
        settings = self.run.settings
        if wanted is None:
            wanted = settings.gathering != "explicit"
        if not wanted or (self.run.options.start_at and not self.run.started):
            return ()
        args = {
            name: value
            for name in ("gather_subset", "gather_timeout", "fact_path")
            if (value := self.value(name)) is not None
        }
        for name in ("gather_subset", "gather_timeout", "fact_path"):
            if configured := getattr(settings, name):
                args.setdefault(name, list(configured) if isinstance(configured, tuple) else configured)
        keywords = {
            **{key: value for key, value in self.play.keywords.items() if key not in ("when", "run_once")},
            "tags": ("always",),
        }
        return (
            Task("gathering", "Gathering Facts", "gather_facts", "gather_facts", args, self.play.where, keywords, {}, keywords, implicit=True),
        )  # fmt: skip

    @property
    def lets_ahead(self) -> bool:
        """Whether tasks may travel as frames: not where one host's failure decides for the others, or hosts wait for `forks`."""
        counted = self.play.keywords.get("max_fail_percentage") is not None or (self.run.fail_limit is not None and len(self.hosts) > 1)
        queued = 0 < self.run.settings.forks < len(self.batch)
        return not self.run.settings.any_errors_fatal and not counted and not queued

    @property
    def alone(self) -> bool:
        """No other host of the batch could see what a task does before its turn."""
        return len(self.batch) == 1 or isinstance(self.conductor, Free)

    # -- judging as it goes --------------------------------------------------------------------------------------

    def check_end(self, walk: Walk) -> None:
        """Raises where the batch or play was ended, or broken off by failures elsewhere."""
        if self.run.stopped and not walk.cleaning:
            raise RunStopped
        if self.broken:
            raise BreakPlay
        if self.batch_ended:
            raise EndBatch
        self.run.check_stop()

    async def after_turn(self, walk: Walk, task: Task, turn: Turn) -> None:
        """any_errors_fatal, a failed run_once, max_fail_percentage and --max-fail hold for the hosts that did well, too."""
        if self.run.fail_limit is not None:
            outcomes = await turn.over()
            if self.run.check_failures() and not walk.cleaning and outcomes.get(walk.host) not in ("failed", "unreachable", "rescued"):
                raise RunStopped
        fatal = self.fatal(task, turn)
        limit = self.value("max_fail_percentage")
        if not fatal and limit is None:
            return
        outcomes = await turn.over()
        bad = [host for host, outcome in outcomes.items() if outcome in ("failed", "unreachable", "rescued")]
        if fatal and bad:
            if outcomes.get(walk.host) not in ("failed", "unreachable", "rescued"):
                raise TaskFailed(task, failure(f"{', '.join(bad)} failed, and any_errors_fatal holds"), silent=True)
        elif limit is not None and self.exceeds(float(limit)):
            self.broken = self.too_many_failed = True
            raise BreakPlay

    def fatal(self, task: Task, turn: Turn) -> bool:
        if turn.shared is not None and not task.keywords.get("ignore_errors"):
            return True
        raw = task.keywords.get("any_errors_fatal", self.run.settings.any_errors_fatal)
        return (
            raw
            if isinstance(raw, bool)
            else bool(raw) and self.run.flag(raw, self.run.store.scope(turn.leader, self.vars, task))
        )

    def exceeds(self, percent: float) -> bool:
        failed = len(self.failed & set(self.batch))
        return failed / len(self.batch) * 100 > percent

    # -- values --------------------------------------------------------------------------------------------------

    @property
    def force_handlers(self) -> bool:
        wanted = self.value("force_handlers")
        return (
            bool(wanted) if wanted is not None else self.run.settings.force_handlers or self.run.options.force_handlers
        )

    def value(self, name: str) -> Any:
        """A play keyword, rendered from what the play knows without a host."""
        raw = self.play.keywords.get(name)
        if isinstance(raw, (Template, list, dict, tuple)):
            raw = self.run.templar.render(list(raw) if isinstance(raw, tuple) else raw, self.play_scope())
        return None if raw is OMIT else raw

    def play_scope(self) -> Scope:
        return self.run.store.scope(self.hosts[0] if self.hosts else "localhost", self.vars)

    def title(self) -> str:
        name = self.play.name
        if isinstance(name, Template):
            try:
                return str(self.run.templar.render(name, self.play_scope()))
            except OpsError:
                return name.source
        return self.play.title

    def handler_scope(self, task: Task) -> Scope:
        return self.run.store.scope(self.batch[0], self.vars, task)

    def selected(self, task: Task, host: str) -> bool:
        """Whether --tags, --skip-tags and --start-at-task take the task."""
        if task.uid in self.before_start:
            return False
        known = self._selected.get(task.uid)
        if known is None:
            tags: Any = task.keywords.get("tags", ())
            if any(isinstance(tag, Template) for tag in tags):
                rendered = self.run.templar.render(list(tags), self.run.store.scope(host, self.vars, task))
                tags = tuple(
                    str(item) for tag in rendered for item in (tag if isinstance(tag, list) else str(tag).split(","))
                )
            implicit = task.is_handler or (task.verb == "meta" and not tags)
            known = self._selected[task.uid] = implicit or is_selected(
                tags, self.run.options.tags, self.run.options.skip_tags
            )
        return known
