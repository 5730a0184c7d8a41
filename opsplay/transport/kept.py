"""KeptTransport: what ssh and local share: sessions by user, raw commands, over links."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AbstractAsyncContextManager
from typing import Any

from opsplay.remote.process import Capture
from opsplay.transport import become as becoming
from opsplay.transport.bootstrap import candidates
from opsplay.transport.launch import Ended, become_verdict, launch, start_script
from opsplay.transport.link import Link, Listener
from opsplay.transport.protocol import Address, Become, ConnectionLost
from opsplay.transport.relay import Door, open_door, open_relay
from opsplay.transport.session import FrameSession
from opsplay.transport.tuning import Tuning

RAW_KILL_AFTER = 0.5
_Key = tuple[Become | None, tuple[str, ...]]


class KeptTransport:
    """Keeps one interpreter for each user and Python; subclasses say how a process is started."""

    def __init__(self, address: Address, tuning: Tuning) -> None:
        self.address = address
        self.tuning = tuning
        self._sessions: dict[_Key, FrameSession] = {}
        self._starting: dict[_Key, asyncio.Lock] = {}

    async def connect(self) -> None:
        raise NotImplementedError

    async def open_link(self, command: str, listener: Listener, pty: bool = False) -> Link:
        raise NotImplementedError

    def pythons(self, wanted: str) -> tuple[str, ...]:
        """The Pythons to look for on the host, best first."""
        return candidates(wanted)

    async def session(self, become: Become | None = None, python: str | None = None) -> FrameSession:
        """See protocol.Transport."""
        key = (become, self.pythons(python or self.address.python))
        async with self._starting.setdefault(key, asyncio.Lock()):
            session = self._sessions.get(key)
            if session is None or not session.usable:
                session = self._sessions[key] = await self._start(become, key[1])
            return session

    async def _start(self, become: Become | None, pythons: tuple[str, ...]) -> FrameSession:
        await self.connect()
        started = await launch(self.open_link, pythons, become, self.tuning, {"grace": self.tuning.grace})
        session = FrameSession(started.link, self.tuning, self.address.host, started.rest)
        try:
            await session.ready()
        except BaseException:
            await session.close()
            raise
        return session

    async def exec(
        self, command: str, become: Become | None = None, input: bytes = b"", timeout: float | None = None
    ) -> dict[str, Any]:
        """See protocol.Transport."""
        await self.connect()
        collector = Collector(self.tuning.output_limit)
        if become is None:
            link = await self.open_link(command, collector)
        else:
            link = await self._exec_as(become, command, collector)
        try:
            link.send(input)
            link.finish()
            async with asyncio.timeout(timeout):
                return await collector.result()
        except TimeoutError:
            return collector.outcome(None) | {"rc": 124, "timed_out": True}
        finally:
            self._finish(link, collector)

    def _finish(self, link: Link, collector: Collector) -> None:
        """A command that still runs (its time is over, or nobody waits any more) is ended; nothing else would end it."""
        if collector.over:
            link.close()
            return
        link.signal("TERM")
        loop = asyncio.get_running_loop()
        loop.call_later(RAW_KILL_AFTER, link.signal, "KILL")
        loop.call_later(RAW_KILL_AFTER, link.close)

    async def _exec_as(self, become: Become, command: str, collector: Collector) -> Link:
        left, right = secrets.token_hex(8), secrets.token_hex(8)
        script = f'printf "%s%s" {left} {right}; {command}'
        try:
            started = await start_script(self.open_link, script, (left + right).encode(), become, self.tuning)
        except Ended as end:
            raise become_verdict(become, end) from None
        except TimeoutError:
            raise becoming.timed_out(become, self.tuning.become_timeout) from None
        collector.output(started.rest)
        started.link.listener = collector
        return started.link

    async def open_stream(self, target: tuple[str, int] | str, become: Become | None = None) -> Any:
        """See protocol.Transport."""
        await self.connect()
        return await open_relay(self.open_link, target, become, self.tuning)

    def forward(self, target: tuple[str, int] | str, become: Become | None = None) -> AbstractAsyncContextManager[Door]:
        """`async with transport.forward("/run/postgresql/.s.PGSQL.5432") as door`: libpq's host=door.folder, port=door.number."""
        return open_door(self, target, become)

    async def close(self) -> None:
        """Ends the interpreters."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            await session.close()


class Collector:
    """Keeps what a raw command prints, capped, until it ends."""

    def __init__(self, limit: int) -> None:
        self._streams = (Capture(limit), Capture(limit))
        self._end: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._why = ""

    def output(self, data: bytes) -> None:
        self._streams[0].add(data)

    def errors(self, data: bytes) -> None:
        self._streams[1].add(data)

    def ended(self, status: int | None, why: str) -> None:
        self._why = why
        if not self._end.done():
            self._end.set_result(status)

    @property
    def over(self) -> bool:
        return self._end.done() and not self._end.cancelled()

    async def result(self) -> dict[str, Any]:
        status = await self._end
        if status is None:
            raise ConnectionLost("connection-lost", f"the connection ended while a command ran: {self._why}")
        return self.outcome(status)

    def outcome(self, status: int | None) -> dict[str, Any]:
        stdout, stderr = self._streams
        result: dict[str, Any] = {"rc": status, "stdout": stdout.text(), "stderr": stderr.text()}
        if stdout.truncated or stderr.truncated:
            result.update(stdout_truncated=stdout.truncated, stderr_truncated=stderr.truncated)
        return result
