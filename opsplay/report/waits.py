"""Waits: says of every host, now and then, that its task is still running, where nothing else moves on the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from opsplay.events import Event, HostFinished, HostStarted, PlayFinished, RunFinished, RunStarted, TaskStarted
from opsplay.report.live_state import LiveState, OpenTask
from opsplay.report.task_lines import task_title

FIRST = 30.0  # seconds; said again each time the wait has doubled
TICK = 1.0


class Waits:
    """A listener with a thread that only looks at the clock. `say(host, task, seconds)` is called from it."""

    def __init__(self, say: Callable[[str, str, float], None], first: float = FIRST, tick: float = TICK) -> None:
        self._say, self._first, self._tick = say, first, tick
        self._state = LiveState()
        self._due: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()

    def __call__(self, event: Event) -> None:
        match event:
            case TaskStarted():
                with self._lock:
                    self._begin(event)
            case HostStarted():
                self._state.started(event.task_id, event.host, time.monotonic())
            case HostFinished():
                with self._lock:
                    self._state.ended(event.task_id, event.host, event.status, event.duration)
            case PlayFinished():
                with self._lock:
                    self._state, self._due = LiveState(), {}
            case RunStarted():
                threading.Thread(target=self._watch, name="opsplay-waits", daemon=True).start()
            case RunFinished():
                self.close()

    def _begin(self, event: TaskStarted) -> None:
        now = time.monotonic()
        self._state.take_complete()
        self._state.open(OpenTask(event.task_id, task_title(event), event.action, now))
        for host in event.hosts:
            self._state.started(event.task_id, host, now)

    def _watch(self) -> None:
        while not self._over.wait(self._tick):
            with self._lock:
                waits = [wait for wait in self._state.waited_for(time.monotonic(), self._first) if self._is_due(*wait)]
            for wait in waits:
                self._say(*wait)

    def _is_due(self, host: str, task: str, seconds: float) -> bool:
        if seconds < self._due.get((host, task), self._first):
            return False
        self._due[host, task] = 2 * seconds
        return True

    def close(self) -> None:
        self._over.set()
