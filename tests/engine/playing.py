"""Plays a case through the library: a folder with play.yml and expect.yml, its events, and what is expected of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from opsplay.engine.launch import assemble, execute, parse_extra, prepare
from opsplay.errors import OpsError
from opsplay.events import (
    Event,
    HandlerNotified,
    HostFinished,
    Included,
    ItemFinished,
    Message,
    Notice,
    Retrying,
    TaskStarted,
)
from opsplay.report.counts import NAMES
from opsplay.report.summary import RunSummary
from opsplay.settings import load_settings
from opsplay.transport.connect import transport_for
from opsplay.transport.fake import FakeTransport, World
from opsplay.transport.protocol import Address
from opsplay.variables.store import Options
from opsplay.vault.secrets import VaultSecrets


@dataclass
class Played:
    """What came of a run: its exit code, its events in order, which hosts were connected to."""

    code: int
    events: list[Event] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    error: OpsError | None = None
    summary: RunSummary = field(default_factory=RunSummary)

    @property
    def titles(self) -> dict[str, str]:
        return {event.task_id: event.task for event in self.events if isinstance(event, TaskStarted)}

    def trace(self) -> list[str]:
        """`HOST TASK: STATUS` in the order of the events; ignored, rescued and delegated ones say so."""
        lines = []
        for event in self.events:
            if isinstance(event, HostFinished):
                word = "ignored" if event.ignored else "rescued" if event.rescued else event.status
                to = f" -> {event.delegated_to}" if event.delegated_to else ""
                lines.append(f"{event.host}{to} {self.titles.get(event.task_id, event.task_id)}: {word}")
        return lines

    def started(self) -> list[str]:
        return [f"{event.task}{' (handler)' if event.is_handler else ''}" for event in self.events if isinstance(event, TaskStarted)]

    def said(self) -> list[str]:
        """`HOST: MSG` of every result and item that has a text, in order."""
        lines = []
        for event in self.events:
            if isinstance(event, (HostFinished, ItemFinished)) and not getattr(event, "looped", False):
                msg = event.result.get("msg")
                if msg not in (None, "") and not event.result.get("skipped"):
                    lines.append(f"{event.host}: {msg if isinstance(msg, str) else json.dumps(msg)}")
        return lines

    def labels(self) -> list[str]:
        return [f"{event.host} {event.label}: {event.status}" for event in self.events if isinstance(event, ItemFinished)]

    def result(self, host: str, task: str) -> dict[str, Any]:
        found = [event for event in self.events if isinstance(event, HostFinished) and event.host == host and self.titles[event.task_id] == task]
        assert found, f"{host} never finished {task}: {self.trace()}"
        return dict(found[-1].result)

    def counts(self) -> dict[str, str]:
        """`ok=2 changed=1` for each host, what is 0 left out."""
        found = {}
        for host in self.summary.hosts.values():
            numbers = {name: getattr(host.counts, name) for name in NAMES}
            found[host.name] = " ".join(f"{name}={number}" for name, number in numbers.items() if number)
        return found


def play(
    folder: Path,
    *,
    playbooks: Sequence[str] = ("play.yml",),
    inventory: Sequence[str] = (),
    extra: Sequence[str] = (),
    settings: dict[str, Any] | None = None,
    worlds: dict[str, World] | None = None,
    ask: Callable[[str, bool, float | None], str | None] | None = None,
    **options: Any,
) -> Played:
    """Run playbooks of a folder. `worlds` are fake hosts by name; all others are real local connections."""
    played = Played(1)

    def open_transport(address: Address, settings: Any) -> Any:
        played.connected.append(address.host)
        if worlds and address.host in worlds:
            return FakeTransport(address, world=worlds[address.host])
        return transport_for(address, settings)

    chosen = load_settings({"HOME": str(folder)}, folder).with_(**(settings or {}))
    vault = VaultSecrets()
    sources = tuple(str(folder / name) if (folder / name).exists() else name for name in inventory)
    listeners = [played.summary, played.events.append]
    try:
        run = assemble(chosen, Options(inventory=sources, **options), parse_extra(extra, vault), vault, ask, open_transport, folder)
        prepared = prepare(run, [str(folder / name) for name in playbooks], vault)
        played.code = execute(prepared, listeners)
    except OpsError as error:
        from opsplay.errors import EXIT_CODES

        played.code, played.error = EXIT_CODES[error.fault], error
    return played


def write_inventory(folder: Path, hosts: Sequence[str]) -> str:
    """Local connections, each with a folder of its own."""
    lines = []
    for host in hosts:
        (folder / "base" / host).mkdir(parents=True, exist_ok=True)
        lines.append(f"{host} ansible_connection=local base={folder}/base/{host}")
    (folder / "hosts.ini").write_text("\n".join(lines) + "\n")
    return "hosts.ini"


def play_case(case: Path, folder: Path) -> tuple[Played, dict[str, Any]]:
    """Copy the case, play it, give what is expected."""
    shutil.copytree(case, folder, dirs_exist_ok=True)
    expect = yaml.safe_load((case / "expect.yml").read_text())
    asked = expect.get("run", {})
    answers = list(asked.pop("answers", []))
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in asked.items()}
    names = given.pop("hosts", ("h1", "h2"))
    inventory = given.pop("inventory", None) or (write_inventory(folder, names),)
    ask = (lambda prompt, echo, seconds: answers.pop(0)) if answers else None
    return play(folder, inventory=inventory, ask=ask, **given), expect


def texts(events: Sequence[Event]) -> str:
    """Everything that listeners are told, as one text: where a secret would be found."""
    return json.dumps([event.as_json() for event in events], default=str)


__all__ = ["HandlerNotified", "Included", "Message", "Notice", "Retrying", "World", "play", "play_case", "texts"]
