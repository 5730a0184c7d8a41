"""The journal of a run: each event is a line on disk before anybody acts on it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from _thread import start_new_thread
from pathlib import Path
from threading import Lock
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.events import (
    EVENTS,
    Event,
    HostFinished,
    HostStarted,
    OutputLine,
    PlayStarted,
    RunFinished,
    RunStarted,
    TaskStarted,
)
from opsplay.history.state_dir import journal_path, make_private

SYNC_EVERY = 0.1  # seconds: what a power cut may take, and what one sync lasts; a killed process loses nothing
RESERVE = 64 * 1024  # bytes held back for the end of the run when the disk is full
FACTS = 50  # more than a set_fact has: gathered facts come as FactsGathered, and the journal holds them once
BEGINNINGS = (RunStarted, PlayStarted, TaskStarted, HostStarted)  # events after which something new would start


class JournalFailed(OpsError):
    """The journal cannot be written: nothing new may start."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            "journal-not-written",
            f"the run's journal {path} cannot be written: {error.strerror or error}",
            remedy="Free space there (or set OPSPLAY_STATE to a folder on another disk) and run again.",
            fault=Fault.OPSPLAY,
        )


class Journal:
    """A listener: put it first. While it is open it holds a lock, so that a run whose process is gone can be told.

    On a full disk it raises JournalFailed at the first event, and again at every event that would begin something;
    ends of what is still running go into space held back for them.
    """

    def __init__(self, state: Path, run_id: str) -> None:
        self.path = journal_path(state, run_id)
        self.failure: JournalFailed | None = None
        self.lost = 0  # events that found no space
        make_private(state)
        make_private(self.path.parent)
        self._reserve = self.path.with_name("reserve")
        self._synced = time.monotonic()
        self._syncing = Lock()
        self._unsynced: OSError | None = None  # what a sync beside met
        try:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size = os.fstat(self._fd).st_size
            _hold_back(self._reserve)
        except BlockingIOError:
            os.close(self._fd)
            raise OpsError(
                "run-under-way", f"run {run_id} is under way in another process", fault=Fault.USAGE
            ) from None
        except OSError as error:
            raise JournalFailed(self.path, error) from error

    def __call__(self, event: Event) -> None:
        if isinstance(event, OutputLine):  # the result has them all: here they would be there twice, the longest of all events
            return
        if self.failure is not None and isinstance(event, BEGINNINGS):
            raise self.failure
        try:
            self._append(encode_event(event))
            if isinstance(event, RunFinished):
                os.fdatasync(self._fd)
            elif isinstance(event, TaskStarted) and self._due():
                self._sync_beside()
        except OSError as error:
            self._failed(error, event)
        if isinstance(event, RunFinished):
            self.close()

    def _append(self, line: bytes) -> None:
        """The whole line or nothing of it."""
        try:
            written = os.write(self._fd, line)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        if written < len(line):
            os.ftruncate(self._fd, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _failed(self, error: OSError, event: Event) -> None:
        """Free what was held back, try once more, and let the run know once that it has to end."""
        first = self.failure is None
        if first:
            self.failure = JournalFailed(self.path, error)
            self._reserve.unlink(missing_ok=True)
        try:
            if first and not isinstance(event, BEGINNINGS):
                self._append(encode_event(event))
            else:
                self.lost += 1
        except OSError:
            self.lost += 1
        if first and self.failure is not None:
            raise self.failure from error

    def _due(self) -> bool:
        return time.monotonic() - self._synced >= SYNC_EVERY

    def _sync_beside(self) -> None:
        """In a thread: on a busy disk a sync takes longer than the task. What it meets is told at the next one."""
        if self._unsynced is not None:
            raise self._unsynced
        if self._syncing.acquire(blocking=False):
            self._synced = time.monotonic()
            start_new_thread(self._sync_there, ())

    def _sync_there(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._unsynced = error
        finally:
            self._syncing.release()

    def close(self) -> None:
        """Let go of the lock and the reserve. Safe to call twice."""
        if self._fd >= 0:
            with self._syncing:
                os.close(self._fd)
            self._fd = -1
            self._reserve.unlink(missing_ok=True)


def _hold_back(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, RESERVE)
    finally:
        os.close(handle)


def encode_event(event: Event) -> bytes:
    """One line. Nothing is copied on the way: facts are large. What JSON does not know becomes text."""
    data: dict[str, Any] = {"event": type(event).__name__}
    for name in _NAMES[type(event)]:
        data[name] = getattr(event, name)
    if type(event) is HostFinished and len(event.result.get("ansible_facts") or ()) > FACTS:
        data["result"] = {**event.result, "ansible_facts": {}}
    try:
        text = json.dumps(data, default=_as_json, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):  # keys that are no text, cycles
        text = json.dumps(_keyed(data), default=_as_json, separators=(",", ":"))
    return text.encode() + b"\n"


_NAMES: dict[type[Event], tuple[str, ...]] = {kind: kind.__match_args__ for kind in EVENTS.values()}


def _as_json(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "keys"):
        return {key: value[key] for key in value.keys()}  # noqa: SIM118  a Mapping that is no dict
    return str(value)


def _keyed(value: Any, depth: int = 0) -> Any:
    if depth > 60:
        return "..."
    if isinstance(value, dict):
        return {str(key): _keyed(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_keyed(part, depth + 1) for part in value]
    return value


def is_open(path: Path) -> bool:
    """A process is writing this journal now."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
