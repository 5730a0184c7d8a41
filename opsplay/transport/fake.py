"""Fake: a host that is a script: scripted replies, recorded steps; for tests of what stands on transports.

A step is answered by `world[module]`: a result dict, a Reply, an exception to raise, a callable (Step -> any of these),
or a list of these to be used up in order; "*" stands for all others. A module without an answer fails.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.lazy_dataclass import dataclass
from opsplay.transport.here import connect_here
from opsplay.transport.protocol import Address, Become, ConnectionLost, Reply, Step, Unreachable
from opsplay.transport.relay import Door, open_door
from opsplay.transport.tuning import Tuning

Answer = Any  # dict | Reply | Exception | Callable[[Step], Answer] | list[Answer]


@dataclass(slots=True)
class Record:
    """A step as it was asked for: when, by which user, in which frame."""

    step: Step
    become: Become | None
    frame: int


@dataclass(slots=True)
class World:
    """What a fake host answers, and what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    commands: dict[str, Answer] = field(default_factory=dict)  # for exec
    unreachable: Exception | None = None
    delay: float = 0.0  # seconds a frame takes
    records: list[Record] = field(default_factory=list)
    frames: int = 0
    connects: int = 0
    cancelled: int = 0


class FakeTransport:
    """Passes the same contract suite as ssh and local, for modules that the world knows."""

    def __init__(self, address: Address, tuning: Tuning | None = None, world: World | None = None) -> None:
        self.address = address
        self.tuning = tuning or Tuning()
        self.world = world or World({"ping": lambda step: {"ping": step.args.get("data", "pong"), "changed": False}})
        self.notices: list[str] = []
        self._sessions: dict[Become | None, FakeSession] = {}

    async def connect(self) -> None:
        self.world.connects += 1
        if self.world.unreachable is not None:
            raise self.world.unreachable

    async def session(self, become: Become | None = None, python: str | None = None) -> FakeSession:
        await self.connect()
        session = self._sessions.get(become)
        if session is None or not session.usable:
            session = self._sessions[become] = FakeSession(self.world, self.address.host, become)
        return session

    async def exec(
        self, command: str, become: Become | None = None, input: bytes = b"", timeout: float | None = None
    ) -> dict[str, Any]:
        await self.connect()
        answer = _pick(self.world.commands, command, command)
        if answer is None:
            return {"rc": 127, "stdout": "", "stderr": f"{command}: not found\n"}
        if isinstance(answer, Exception):
            raise answer
        return {"rc": 0, "stdout": "", "stderr": "", **answer}

    async def open_stream(self, target: tuple[str, int] | str, become: Become | None = None) -> Any:
        try:
            return await connect_here(target)
        except OSError as error:
            raise Unreachable("stream-refused", f"{self.address.host} does not forward to {target}: {error}") from None

    def forward(self, target: tuple[str, int] | str, become: Become | None = None) -> AbstractAsyncContextManager[Door]:
        return open_door(self, target, become)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()


class FakeRequest:
    def __init__(self, session: FakeSession, count: int) -> None:
        loop = asyncio.get_running_loop()
        self.replies: Sequence[asyncio.Future[Reply]] = [loop.create_future() for _ in range(count)]
        self._session = session
        self.cancelled = asyncio.Event()
        self.over = asyncio.Event()

    async def cancel(self) -> None:
        if not self.over.is_set():
            self._session.world.cancelled += 1
            self.cancelled.set()
            await self.over.wait()


class FakeSession:
    """Answers requests one after the other, like the interpreter it stands for."""

    def __init__(self, world: World, host: str, become: Become | None) -> None:
        self.world = world
        self.usable = True
        self._host = host
        self._become = become
        self._waiting: deque[tuple[FakeRequest, Sequence[Step], bool, int]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._now: FakeRequest | None = None

    def submit(self, steps: Sequence[Step], stop_on_failure: bool = True) -> FakeRequest:
        request = FakeRequest(self, len(steps))
        if not self.usable:
            _settle(request, ConnectionLost("closed", f"the session with {self._host} was closed"))
            return request
        self.world.frames += 1
        self._waiting.append((request, steps, stop_on_failure, self.world.frames))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return request

    async def _work(self) -> None:
        while self._waiting:
            request, steps, stop, frame = self._waiting.popleft()
            self._now = request
            try:
                await self._answer_all(request, steps, stop, frame)
            finally:
                request.over.set()
            self._now = None

    async def _answer_all(self, request: FakeRequest, steps: Sequence[Step], stop: bool, frame: int) -> None:
        stopped = False
        for step, future in zip(steps, request.replies, strict=True):
            if stopped:
                _resolve(future, Reply({}, ran=False))
                continue
            self.world.records.append(Record(step, self._become, frame))
            answer = await self._answer(request, step)
            if isinstance(answer, Exception):
                self._break(answer)
                _settle(request, answer)
                return
            _resolve(future, answer)
            stopped = bool(answer.result.get("cancelled") or (answer.result.get("failed") and stop))

    async def _answer(self, request: FakeRequest, step: Step) -> Reply | Exception:
        if self.world.delay or request.cancelled.is_set():
            try:
                await asyncio.wait_for(request.cancelled.wait(), self.world.delay)
                return Reply({"failed": True, "cancelled": True, "changed": False, "msg": "cancelled while it ran"})
            except TimeoutError:
                pass
        answer = _pick(self.world.answers, step.module, step)
        if answer is None:
            answer = {"failed": True, "msg": f"the fake host has no answer for {step.module}"}
        return answer if isinstance(answer, Reply | Exception) else Reply({"changed": False, **answer})

    def _break(self, error: Exception) -> None:
        """An exception is the link's end, as on a real one."""
        self.usable = False
        while self._waiting:
            _settle(self._waiting.popleft()[0], error)

    async def close(self) -> None:
        if self.usable:
            error = ConnectionLost("closed", f"the session with {self._host} was closed")
            self._break(error)
            if self._now is not None:
                _settle(self._now, error)
            if self._task is not None:
                self._task.cancel()


def _resolve(future: asyncio.Future[Reply], reply: Reply) -> None:
    if not future.done():  # who waited for it may have been cancelled
        future.set_result(reply)


def _settle(request: FakeRequest, error: Exception) -> None:
    for reply in request.replies:
        if not reply.done():
            reply.set_exception(error)
            reply.exception()
    request.over.set()


def _pick(answers: dict[str, Answer], name: str, subject: Any) -> Any:
    answer = answers.get(name, answers.get("*"))
    if isinstance(answer, list):
        if not answer:
            raise OpsError("fake-used-up", f"the fake host has no further answer for {name}", fault=Fault.OPSPLAY)
        answer = answer.pop(0)
    return answer(subject) if callable(answer) else answer
