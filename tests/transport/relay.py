"""A TCP relay for faults: slow, silent, cut off, or holding everything back, at any point of a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class FaultyRelay:
    """`limit`: bytes that the server may send before all goes silent. `rate`: bytes a second. `held`: nothing passes."""

    def __init__(self, port: int, limit: int | None = None, rate: float | None = None) -> None:
        self.target = port
        self.limit = limit
        self.rate = rate
        self.passed = 0
        self.port = 0
        self.open = asyncio.Event()
        self.open.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def hold(self) -> None:
        self.open.clear()

    def release(self) -> None:
        self.open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers += [writer, far_writer]
        for task in (self._copy(reader, far_writer, False), self._copy(far_reader, writer, True)):
            self._tasks.add(asyncio.ensure_future(task))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, down: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 if self.rate and down else 65536):
                await self.open.wait()
                if self.rate and down:
                    await asyncio.sleep(1 / self.rate)
                if down:
                    data = data if self.limit is None else data[: max(0, self.limit - self.passed)]
                    self.passed += len(data)
                target.write(data)
                await target.drain()
        target.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()


@contextlib.asynccontextmanager
async def relay_to(port: int, limit: int | None = None, rate: float | None = None) -> AsyncIterator[FaultyRelay]:
    relay = FaultyRelay(port, limit, rate)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await relay.end()
