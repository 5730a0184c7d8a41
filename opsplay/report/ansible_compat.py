"""Output in the style of ansible-playbook, for scripts and eyes that know it: banners, host lines, PLAY RECAP."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opsplay.events import (
    BatchStarted,
    Event,
    HostFinished,
    Included,
    ItemFinished,
    Notice,
    PlaybookFinished,
    PlayFinished,
    PlayStarted,
    Retrying,
    RunFinished,
    RunStarted,
    StatsSet,
    TaskStarted,
)
from opsplay.report.ansible_results import shown_result
from opsplay.report.counts import Counts
from opsplay.report.diff_text import diff_text
from opsplay.report.output import Output
from opsplay.report.result_text import printable
from opsplay.report.run_stats import RunStats

COLOURS = {"ok": "0;32", "changed": "0;33", "skipped": "0;36", "failed": "0;31", "unreachable": "1;31", "warning": "1;35",
           "add": "0;32", "remove": "0;31", "hunk": "0;36", "deprecated": "0;35"}  # fmt: skip
COLUMNS = 79  # of a banner where there is no terminal, or a narrow one
INCLUDES = ("include_tasks", "include_role")
DEBUG = ("debug", "ansible.builtin.debug")
ON_THE_CONTROLLER = frozenset(  # their failures are an action's, of all others a module's
    ["add_host", "assert", "debug", "fail", "fetch", "gather_facts", "group_by", "include_vars", "pause", "reboot", "set_fact", "set_stats",
     "validate_argument_spec", "wait_for_connection"]
)  # fmt: skip


class AnsibleOutput:
    """A listener. `check_markers`: banners say CHECK MODE, as Ansible's check_mode_markers setting asks."""

    def __init__(self, output: Output, errors: Output, *, verbosity: int = 0, check_markers: bool = False) -> None:
        self.output, self.errors, self.verbosity, self.check_markers = output, errors, verbosity, check_markers
        self.colour = output.colour
        self.width = max(COLUMNS, output.width - 1) if output.is_terminal() else COLUMNS
        self.check = False
        self.hosts: dict[str, Counts] = {}
        self.tasks: dict[str, TaskStarted] = {}
        self.banner_of = ""
        self.recapped = False
        self.custom_stats: RunStats | None = None  # gathered where show_custom_stats asks for it

    def __call__(self, event: Event) -> None:
        match event:
            case HostFinished():
                self._host_finished(event)
            case TaskStarted():
                self.tasks[event.task_id] = event
                self.banner_of = ""  # a play that begins as the last one ended, with the same task
                self._task_banner(event.task_id)
            case ItemFinished():
                self._item_finished(event)
            case Retrying():
                self._retrying(event)
            case Included():
                for host in event.hosts:
                    self.hosts.setdefault(host, Counts()).add_included()
                self._task_banner(event.task_id)
                item = f" => (item={printable(event.label)})" if event.label else ""
                self._line(f"included: {event.path} for {', '.join(event.hosts)}{item}", "skipped")
            case _:
                self._rare(event)

    def _rare(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.check = event.check
                if self.check and self.check_markers:
                    self._banner("DRY RUN")
            case PlayStarted():
                if not event.hosts:
                    self._play_banner(event.play)
                    self._line("skipping: no hosts matched", "skipped")
            case PlayFinished():
                if event.too_many_failed:
                    self._banner("NO MORE HOSTS LEFT")
            case BatchStarted():
                self._play_banner(event.play)
            case StatsSet() if self.custom_stats is not None:
                self.custom_stats.add(event.host, event.data, event.aggregate)
            case Notice():
                self._notice(event)
            case PlaybookFinished():
                self._recap()
            case RunFinished():
                if not self.recapped and event.outcome != "error":
                    self._recap()

    def close(self) -> None:
        """Nothing to give back."""

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """The terminal is free for a prompt at any time."""
        yield

    # Banners

    def _banner(self, text: str) -> None:
        stars = "*" * max(3, self.width - len(text))
        self.output.write(f"\n{printable(text)} {stars}\n")

    def _play_banner(self, play: str) -> None:
        self._banner(f"PLAY [{play}]{self._marker()}" if play else f"PLAY{self._marker()}")

    def _task_banner(self, task_id: str) -> None:
        """The banner of the task that the next line belongs to, again where hosts are in different tasks."""
        task = self.tasks.get(task_id)
        if task is None or self.banner_of == task_id:
            return
        self.banner_of = task_id
        name = task.task or task.action
        title = name if not task.role or name.startswith(f"{task.role} : ") else f"{task.role} : {name}"
        self._banner(f"{'RUNNING HANDLER' if task.is_handler else 'TASK'} [{title}]{self._marker()}")
        if self.verbosity >= 2:
            self._line(f"task path: {task.where.rsplit(':', 1)[0]}", "skipped")

    def _marker(self) -> str:
        return " [CHECK MODE]" if self.check and self.check_markers else ""

    # Results

    def _host_finished(self, event: HostFinished) -> None:
        self.hosts.setdefault(event.host, Counts()).add(event)
        self._task_banner(event.task_id)
        task = self.tasks.get(event.task_id)
        action = task.action if task else ""
        if event.status in ("failed", "unreachable", "unknown"):
            self._bad(event)
        elif event.status == "skipped":
            self._line(f"skipping: {_host(event)}{self._shown(event.result)}", "skipped")
        elif not event.looped and action.rsplit(".", 1)[-1] not in INCLUDES:
            self._diff(event.result)
            self._line(f"{event.status}: {_host(event)}{self._shown(event.result, action in DEBUG)}", event.status)

    def _bad(self, event: HostFinished) -> None:
        if event.status != "failed":
            self._line(f"fatal: {_host(event)}: UNREACHABLE! => {self._json(event.result)}", "unreachable")
        elif not event.looped or "results" not in event.result:
            self._diff(event.result)
            self._explain(event)
            self._line(f"fatal: {_host(event)}: FAILED! => {self._failure(event)}", "failed")
        if event.ignored:
            self._line("...ignoring", "skipped")

    def _explain(self, event: HostFinished | ItemFinished) -> None:
        """The message and its place, as Ansible 2.19 prints them before the host's line."""
        task = self.tasks.get(event.task_id)
        message = event.result.get("msg")
        if task is None or message is None or "censored" in event.result:
            return
        told = _after_colon(str(message).removeprefix("Task failed: "))
        self._line(f"[ERROR]: Task failed{_by_whom(task, event.result)}{told}", "failed")
        place = os.path.abspath(str(event.result.get("where") or task.where))
        self._line(f"Origin: {place}\n", "")
        for line in excerpt(place):
            self._line(line, "")

    def _item_finished(self, event: ItemFinished) -> None:
        self._task_banner(event.task_id)
        task = self.tasks.get(event.task_id)
        host, item = f"[{event.host}]", f"(item={event.label})"
        if event.status in ("failed", "unreachable"):
            self._explain(event)
            self._line(f"failed: {host} {item} => {self._failure(event)}", "failed")
        elif event.status == "skipped":
            self._line(f"skipping: {host} => {item} {self._shown(event.result)[1:]}", "skipped")
        else:
            self._diff(event.result)
            shown = self._shown(event.result, bool(task) and task.action in DEBUG)  # type: ignore[union-attr]
            self._line(f"{event.status}: {host} => {item}{shown}", event.status)

    def _retrying(self, event: Retrying) -> None:
        self._task_banner(event.task_id)
        task = self.tasks.get(event.task_id)
        left = max(0, event.retries - event.attempt + 1)
        result = f" Result was: {self._json(event.result)}" if self.verbosity >= 2 else ""
        name = (task.task or task.action) if task else event.task_id
        self._line(f"FAILED - RETRYING: [{event.host}]: {name} ({left} retries left).{result}", "skipped")

    def _failure(self, event: HostFinished | ItemFinished) -> str:
        task = self.tasks.get(event.task_id)
        name = task.action.rpartition(".")[2] if task else ""
        return shown_result(event.result, self.verbosity, name == "debug" and "code" not in event.result, name == "assert")

    def _shown(self, result: Mapping[str, Any], is_debug: bool = False) -> str:
        wanted = self.verbosity >= 1 or (is_debug and "censored" not in result)
        return f" => {self._json(result, is_debug)}" if wanted else ""

    def _json(self, result: Mapping[str, Any], is_debug: bool = False) -> str:
        return shown_result(result, self.verbosity, is_debug)

    def _diff(self, result: Mapping[str, Any]) -> None:
        if not result.get("diff") or not result.get("changed"):
            return
        for line in diff_text(result["diff"]).splitlines():
            self._line(line, {"+": "add", "-": "remove", "@": "hunk"}.get(line[:1], ""))
        self._line("", "")

    def _notice(self, event: Notice) -> None:
        if event.level == "info":
            if self.verbosity:
                self._line(event.message, "")
            return
        label, colour = ("DEPRECATION WARNING", "deprecated") if event.level == "deprecated" else ("WARNING", "warning")
        self.errors.write(self._coloured(f"[{label}]: {printable(event.message)}", colour) + "\n")

    # Recap

    def _recap(self) -> None:
        """The counts so far: of several playbooks each ends with one."""
        self.recapped = True
        self._banner("PLAY RECAP")
        for host in sorted(self.hosts):
            self.output.write(self._recap_line(host, self.hosts[host]))
        self.output.write("\n")
        self._custom_stats()
        if self.check and self.check_markers:
            self._banner("DRY RUN")

    def _custom_stats(self) -> None:
        if self.custom_stats is None or not self.custom_stats.by_host:
            return
        self._banner("CUSTOM STATS: ")
        for host in sorted(self.custom_stats.by_host):
            text = json.dumps(self.custom_stats.by_host[host], sort_keys=True, default=str)
            self._line(f"\t{host or 'RUN'}: {text}", "")

    def _recap_line(self, host: str, counts: Counts) -> str:
        numbers = {
            "ok": counts.ok, "changed": counts.changed, "unreachable": counts.unreachable + counts.unknown, "failed": counts.failed,
            "skipped": counts.skipped, "rescued": counts.rescued, "ignored": counts.ignored,
        }  # fmt: skip
        status = counts.status if counts.status != "unknown" else "unreachable"
        name = f"{self._coloured(printable(host), status):<37}" if self.colour else f"{printable(host):<26}"
        cells = [self._coloured(f"{key}={number:<4}", key if number else "") for key, number in numbers.items()]
        return f"{name} : {' '.join(cells)}\n"

    def _coloured(self, text: str, style: str) -> str:
        code = COLOURS.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code else text

    def _line(self, text: str, style: str) -> None:
        self.output.write(self._coloured(printable(text), style) + "\n")


def _by_whom(task: TaskStarted, result: Mapping[str, Any]) -> str:
    """Who failed: the module on the host or the action on the controller; nobody where the task never got so far."""
    if "code" in result:
        return ""
    action = result.get("failed_when_result") or task.action.rpartition(".")[2] in ON_THE_CONTROLLER
    return ": Action failed" if action else ": Module failed"


def _after_colon(message: str) -> str:
    return f": {message}" if message else "."


def excerpt(place: str) -> list[str]:
    """The line at `path:line:column` with two before it, and a mark under its column."""
    from opsplay.errors import Where, source_line

    path, _, rest = place.partition(":")
    numbers = [int(part) for part in rest.split(":") if part.isdigit()]
    if len(numbers) < 2:
        return []
    line, column = numbers[:2]
    shown = [(n, source_line(Where(path, n))) for n in range(max(1, line - 2), line + 1)]
    width = len(str(line))
    lines = [f"{n:>{width}} {text}" for n, text in shown if text is not None]
    return [*lines, " " * (width + column) + f"^ column {column}\n"] if lines else []


def _host(event: HostFinished) -> str:
    return f"[{event.host} -> {event.delegated_to}]" if event.delegated_to not in ("", event.host) else f"[{event.host}]"
