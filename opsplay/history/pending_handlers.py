"""Pending handlers kept on disk: what was notified and did not run, until a later run has run it or somebody forgets it.

A file of lines, one for each handler notified and one for each that ran: written as it happens, so that a controller that
is killed between the two leaves the truth behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opsplay.events import Event, HandlerNotified, HandlerPending, HandlerRan, RunFinished
from opsplay.history.state_dir import make_private
from opsplay.report.pending_handlers import PendingHandlers, key_of

FILE = "pending-handlers.jsonl"
FIELDS = ("host", "handler", "play", "playbook", "run_id", "since")


class PendingStore:
    """A listener; `before` is what earlier runs have left of these playbooks."""

    def __init__(self, state: Path, playbooks: Collection[str] = ()) -> None:
        self.path = make_private(state) / FILE
        self._fold = PendingHandlers()
        self.before = tuple(event for event in read(self.path) if event.playbook in playbooks)

    def __call__(self, event: Event) -> None:
        known = set(self._fold.kept)
        self._fold(event)
        if isinstance(event, (HandlerNotified, HandlerRan)) and known ^ set(self._fold.kept):
            key = key_of(event)
            append(self.path, self._fold.kept.get(key) or done(event))
        elif isinstance(event, RunFinished):
            tidy(self.path)

    def everything(self) -> list[HandlerPending]:
        return read(self.path)

    def forget(self, found: Iterable[HandlerPending]) -> None:
        for event in found:
            append(self.path, done(event))
        tidy(self.path)


def done(event: HandlerNotified | HandlerRan | HandlerPending) -> HandlerRan:
    return HandlerRan(time.time(), event.host, event.handler, event.play, event.playbook)


def append(path: Path, event: HandlerPending | HandlerRan) -> None:
    with locked(path), open(path, "a", encoding="utf-8", opener=private) as file:
        file.write(json.dumps(described(event)) + "\n")


def described(event: HandlerPending | HandlerRan) -> dict[str, object]:
    return {name: getattr(event, name) for name in FIELDS if hasattr(event, name)}


def read(path: Path) -> list[HandlerPending]:
    """What is pending, the oldest first. A torn line counts as not written."""
    fold = PendingHandlers()
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            fields = json.loads(line)
            kind = HandlerPending if "run_id" in fields else HandlerRan
            fold(kind(fields.get("since", 0.0), **fields))
        except (ValueError, TypeError):
            continue
    return list(fold.kept.values())


def tidy(path: Path) -> None:
    """Leave only the lines that still say something."""
    if not path.exists():
        return
    with locked(path):
        left = [described(event) for event in read(path)]
        fresh = path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8", opener=private) as file:
            file.writelines(json.dumps(line) + "\n" for line in left)
        fresh.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Runs of the same user write one after the other."""
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
