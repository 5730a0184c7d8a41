"""The contract that every transport keeps: ssh to a real sshd, local, and the fake."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsplay.transport.protocol import ConnectionLost, Step, Unreachable
from tests.transport.hosts import command, finish, processes_with

Make = Callable[[], Any]


def pings(*data: str) -> list[Step]:
    return [Step("ping", {"data": text}) for text in data]


def test_steps_are_answered_in_order(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        await transport.connect()
        session = await transport.session()
        replies = await asyncio.gather(*session.submit(pings("a", "b", "c")).replies)
        assert [reply.result for reply in replies] == [{"ping": text, "changed": False} for text in "abc"]
        assert all(reply.ran for reply in replies)
        await transport.close()

    finish(work)


def test_steps_behind_a_failed_one_do_not_run(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        session = await transport.session()
        replies = await asyncio.gather(*session.submit(pings("a", "crash", "c")).replies)
        assert [reply.ran for reply in replies] == [True, True, False]
        assert replies[1].result["failed"] is True
        assert "boom" in replies[1].result["msg"]
        assert replies[2].result == {}
        replies = await asyncio.gather(*session.submit(pings("crash", "c"), stop_on_failure=False).replies)
        assert [reply.ran for reply in replies] == [True, True]
        assert replies[1].result["ping"] == "c"
        await transport.close()

    finish(work)


def test_requests_queue(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        session = await transport.session()
        requests = [session.submit(pings(str(number))) for number in range(50)]
        replies = [await request.replies[0] for request in requests]
        assert [reply.result["ping"] for reply in replies] == [str(number) for number in range(50)]
        await transport.close()

    finish(work)


def test_the_session_is_kept(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        first, second = await asyncio.gather(transport.session(), transport.session())
        assert first is second
        await transport.close()

    finish(work)


def test_cancel_returns_when_the_work_is_over(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        session = await transport.session()
        if hasattr(transport, "world"):
            transport.world.delay = 60
        request = session.submit([command("sleep 60"), *pings("never")])
        await asyncio.sleep(0.3)
        await request.cancel()
        assert request.replies[0].result().result["cancelled"] is True
        assert request.replies[1].result().ran is False
        if hasattr(transport, "world"):
            transport.world.delay = 0
        reply = await session.submit(pings("after")).replies[0]
        assert reply.result["ping"] == "after"
        await transport.close()

    finish(work)


def test_who_waits_for_a_reply_may_be_cancelled(any_transport: Make) -> None:
    """Cancelling the wait cancels the future with it; the work on the host is still there to be ended."""

    async def work() -> None:
        transport = any_transport()
        session = await transport.session()
        if hasattr(transport, "world"):
            transport.world.delay = 60
        mark = f"3{secrets.randbelow(10**8):08d}"
        request = session.submit([command(f"sleep {mark}")])

        async def wait() -> None:
            await request.replies[0]

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0.4)
        assert hasattr(transport, "world") or processes_with(f"sleep {mark}")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await request.cancel()
        assert not processes_with(f"sleep {mark}")
        if hasattr(transport, "world"):
            transport.world.delay = 0
        assert (await session.submit(pings("after")).replies[0]).result["ping"] == "after"
        await transport.close()

    finish(work)


def test_closing_loses_what_is_under_way(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        session = await transport.session()
        if hasattr(transport, "world"):
            transport.world.delay = 60
        request = session.submit([command("sleep 60")])
        await asyncio.sleep(0.1)
        await transport.close()
        with pytest.raises(ConnectionLost):
            await request.replies[0]
        with pytest.raises(ConnectionLost):
            await session.submit(pings("late")).replies[0]

    finish(work)


def test_a_closed_transport_connects_again(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        await transport.session()
        await transport.close()
        session = await transport.session()
        assert (await session.submit(pings("again")).replies[0]).result["ping"] == "again"
        await transport.close()

    finish(work)


def test_raw_commands(any_transport: Make) -> None:
    async def work() -> None:
        transport = any_transport()
        result = await transport.exec("echo out; echo err >&2; exit 3")
        assert result == {"rc": 3, "stdout": "out\n", "stderr": "err\n"}
        await transport.close()

    finish(work)


def test_streams_reach_tcp_and_unix_sockets(any_transport: Make, tmp_path: Path) -> None:
    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data.upper())
            await writer.drain()
        writer.close()

    async def work() -> None:
        transport = any_transport()
        path = str(tmp_path / "echo.sock")
        tcp = await asyncio.start_server(upper, "127.0.0.1", 0)
        servers = [tcp, await asyncio.start_unix_server(upper, path)]
        for target in (tcp.sockets[0].getsockname()[:2], path):
            stream = await transport.open_stream(target)
            assert isinstance(stream, socket.socket)
            assert await asyncio.to_thread(_exchange, stream, b"hello" * 100_000) == b"HELLO" * 100_000
        async with transport.forward(path) as door:
            reader, writer = await asyncio.open_unix_connection(door.path)
            writer.write(b"door")
            assert await reader.readexactly(4) == b"DOOR"
            writer.close()
        await transport.close()
        for server in servers:
            server.close()

    finish(work)


def _exchange(stream: socket.socket, data: bytes) -> bytes:
    import threading

    stream.settimeout(10)
    writer = threading.Thread(target=lambda: (stream.sendall(data), stream.shutdown(socket.SHUT_WR)))
    writer.start()
    received = b""
    while chunk := stream.recv(65536):
        received += chunk
    writer.join()
    stream.close()
    return received


def test_a_target_that_is_not_there(any_transport: Make, tmp_path: Path) -> None:
    async def work() -> None:
        transport = any_transport()
        with pytest.raises(Unreachable) as caught:
            await transport.open_stream(str(tmp_path / "nothing.sock"))
        assert caught.value.code == "stream-refused"
        await transport.close()

    finish(work)
