"""Conductor: who may run the next task when: linear in lock-step, free and host_pinned each at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from opsplay.model.play import Task

BYPASSING = frozenset({"add_host", "pause"})  # one host of the batch does it for all, as documented
Key = tuple[int, ...]  # a task's place in the play: compares in the order of the text


class Turn:
    """A task that some hosts of the batch run at the same time."""

    def __init__(self, task: Task, hosts: list[str]) -> None:
        self.task = task
        self.hosts = hosts
        self.includes: dict[object, int] = {}
        self.included: dict[tuple[str, str, str, str], list[str]] = {}
        self.outcomes: dict[str, str] = {}
        self.left_out = False  # --step, and the operator said no
        self._over = asyncio.Event()
        self.once = False  # one host does it, for the whole batch
        self.for_all = False  # and what it learns holds for all: run_once
        self.shared: asyncio.Future[object] | None = None  # its result, for the other hosts of the turn
        self.on_over: list[Callable[[Turn], None]] = []

    @property
    def leader(self) -> str:
        return self.hosts[0]

    def finish(self, host: str, outcome: str) -> None:
        """Say how the task ended on the host: a status, "ignored" or "rescued"."""
        self.outcomes[host] = outcome
        if len(self.outcomes) >= len(self.hosts):
            for call in self.on_over:
                call(self)
            self._over.set()

    async def over(self) -> dict[str, str]:
        """Wait for every host of the turn."""
        await self._over.wait()
        return self.outcomes

    def include_index(self, what: object) -> int:
        """The place of an included file among those of this turn: hosts with the same file stay together."""
        return self.includes.setdefault(what, len(self.includes))


class Conductor(Protocol):
    async def turn(self, host: str, key: Key, task: Task) -> Turn: ...
    def leave(self, host: str) -> None: ...
    def join(self, host: str) -> None: ...


class Linear:
    """All hosts run a task before any runs the next; hosts at an earlier place go first."""

    def __init__(self, hosts: list[str], begin: Callable[[Turn], None]) -> None:
        self.order = {host: index for index, host in enumerate(hosts)}
        self.active = set(hosts)
        self.waiting: dict[str, tuple[Key, Task, asyncio.Future[Turn]]] = {}
        self.begin = begin

    async def turn(self, host: str, key: Key, task: Task) -> Turn:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Turn] = loop.create_future()
        self.waiting[host] = (key, task, future)
        if len(self.active) == 1:
            self._release()
        elif len(self.waiting) >= len(self.active):
            loop.call_soon(self._release_for, future)  # the last to arrive waits, too: all begin in the order of the hosts
        return await future

    def _release_for(self, last: asyncio.Future[Turn]) -> None:
        """What goes wrong meets the host that arrived last, as if it had released them itself."""
        try:
            self._release()
        except BaseException as error:
            if last.done():
                raise
            last.set_exception(error)

    def join(self, host: str) -> None:
        """A host that has left is back."""
        self.active.add(host)

    def leave(self, host: str) -> None:
        self.active.discard(host)
        self.waiting.pop(host, None)
        self._release()

    def _release(self) -> None:
        if not self.waiting or len(self.waiting) < len(self.active):
            return
        first = min(self.waiting, key=lambda host: (self.waiting[host][0], self.order[host]))
        key, task, _ = self.waiting[first]
        hosts = [
            host for host, (other_key, other, _) in self.waiting.items() if other_key == key and other.uid == task.uid
        ]
        hosts.sort(key=self.order.__getitem__)
        turn = Turn(task, hosts)
        self.begin(turn)
        for host in hosts:
            _, _, future = self.waiting.pop(host)
            if not future.done():
                future.set_result(turn)


class Free:
    """Every host goes on as fast as it can; a task is announced when the first host begins it."""

    def __init__(self, hosts: list[str], begin: Callable[[Turn], None], at_once: int = 0) -> None:
        self.begin = begin
        self._gate = asyncio.Semaphore(at_once) if at_once else None
        self._inside: set[str] = set()

    async def turn(self, host: str, key: Key, task: Task) -> Turn:
        if self._gate is not None and host not in self._inside:
            await self._gate.acquire()
            self._inside.add(host)
        await asyncio.sleep(0)  # the others may begin theirs: no host is a task ahead by being asked first
        turn = Turn(task, [host])
        self.begin(turn)
        return turn

    def join(self, host: str) -> None:
        """Nobody waits for it: it goes on."""

    def leave(self, host: str) -> None:
        if self._gate is not None and host in self._inside:
            self._inside.discard(host)
            self._gate.release()
