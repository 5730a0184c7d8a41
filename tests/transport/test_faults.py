"""Links that break, stall or flood, and servers that are full: fault rows 15, 16, 26, 27 and 28, with their figures."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsplay.transport.protocol import Become, ConnectionLost, Step, Unreachable
from opsplay.transport.ssh import SshTransport
from opsplay.transport.tuning import Tuning
from tests.transport.accounts import ROOT
from tests.transport.hosts import TAUGHT, ask, finish, gone, opened
from tests.transport.private_sshd import PrivateSshd
from tests.transport.relay import FaultyRelay, relay_to
from tests.transport.test_interpreter import marked_sleep

FLOOD = int(os.environ.get("OPSPLAY_FLOOD_MEGABYTES", "150"))
MIB = 1024 * 1024


def through(sshd: PrivateSshd, relay: FaultyRelay, tuning: Tuning | None = None, **changes: Any) -> SshTransport:
    """The sshd by way of the relay, under its own name."""
    args = f"-F none -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null -o 'HostKeyAlias=[127.0.0.1]:{sshd.port}'"
    return SshTransport(sshd.address(port=relay.port, ssh_args=args, **changes), tuning)


# -- row 15: output without end


def memory() -> float:
    """MiB that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as handle:
        return int(handle.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


FLOODS = {
    "short lines": f"yes | head -c {FLOOD * MIB}",
    "one line": f"head -c {FLOOD * MIB} /dev/zero | tr '\\0' x",
    "both streams": f"yes out | head -c {FLOOD * MIB} & yes err | head -c {FLOOD * MIB} >&2; wait",
}


@pytest.mark.parametrize("kind", list(FLOODS))
def test_floods_are_capped_and_counted(real: Callable[..., Any], kind: str) -> None:
    async def work() -> None:
        async with opened(real()) as session:
            await ask(session, "ping", data="x")
            before = memory()
            result = await ask(session, "t_spawn", argv=["sh", "-c", FLOODS[kind]])
            assert memory() - before < 64 + 48  # two streams of 16 MiB as bytes, then text, and the allocator's rest
            assert result["stdout_truncated"] == (FLOOD - 16) * MIB
            assert len(result["stdout"]) < 16 * MIB + 100
            assert "bytes left out" in result["stdout"]

    finish(work, 60)


def test_endless_output_ends_at_the_deadline_and_holds_up_nobody(sshd: PrivateSshd) -> None:
    async def work() -> None:
        flooding = [SshTransport(sshd.address(), Tuning(output_limit=MIB)) for _ in range(3)]
        other = SshTransport(sshd.address())
        sessions = [await transport.session() for transport in flooding]
        for session in sessions:
            session.teach("t_spawn", TAUGHT["t_spawn"])
        before = memory()
        endless = [
            session.submit([Step("t_spawn", {"argv": ["yes"]}, deadline=3, on_line=lambda *_: None)]).replies[0]
            for session in sessions
        ]
        calm = await other.session()
        slowest = 0.0
        for _ in range(20):
            begun = time.monotonic()
            await ask(calm, "ping", data="x")
            slowest = max(slowest, time.monotonic() - begun)
            await asyncio.sleep(0.1)
        for reply in endless:
            assert (await reply).result["timedout"] == {"period": 3}
        assert slowest < 1.0
        assert memory() - before < 64
        for transport in (*flooding, other):
            await transport.close()

    finish(work)


# -- row 16: silence


@pytest.mark.parametrize(("limit", "when"), [(0, "before its banner"), (20, "in its banner"), (41, "behind its banner"), (600, "in the key exchange"), (1700, "before the login")])  # fmt: skip
def test_a_server_that_falls_silent(sshd: PrivateSshd, limit: int, when: str) -> None:
    async def work() -> None:
        async with relay_to(sshd.port, limit=limit) as relay:
            transport = through(sshd, relay, timeout=2.0)
            begun = time.monotonic()
            with pytest.raises(Unreachable) as caught:
                await transport.connect()
            assert caught.value.code == "connect-timeout", when
            assert abs(time.monotonic() - begun - 2) < 1
            await transport.close()

    finish(work)


def test_a_server_that_drips(sshd: PrivateSshd) -> None:
    async def work() -> None:
        async with relay_to(sshd.port, rate=1) as relay:
            transport = through(sshd, relay, timeout=2.0)
            begun = time.monotonic()
            with pytest.raises(Unreachable) as caught:
                await transport.connect()
            assert caught.value.code == "connect-timeout"
            assert abs(time.monotonic() - begun - 2) < 1

    finish(work)


def test_silent_hosts_hold_no_login_threads(sshd: PrivateSshd) -> None:
    """Forty silent hosts and one login thread: a live host does not wait for them."""

    async def work() -> None:
        tuning = Tuning(connects_at_once=1)
        async with relay_to(sshd.port, limit=0) as relay:
            silent = [through(sshd, relay, tuning, timeout=3.0) for _ in range(40)]
            waiting = [asyncio.ensure_future(transport.connect()) for transport in silent]
            await asyncio.sleep(0.2)
            begun = time.monotonic()
            live = SshTransport(sshd.address(), tuning)
            await live.connect()
            assert time.monotonic() - begun < 1.5
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(result, Unreachable) for result in results)
            await live.close()

    finish(work)


def test_half_a_frame_ends_at_the_deadline(sshd: PrivateSshd) -> None:
    async def work() -> None:
        async with relay_to(sshd.port) as relay:
            tuning = Tuning(keepalive_interval=60, deadline_grace=0.5)
            async with opened(through(sshd, relay, tuning)) as session:
                await ask(session, "ping", data="x")
                relay.limit = relay.passed + 40_000
                begun = time.monotonic()
                reply = session.submit([Step("t_echo", {}, body=os.urandom(200_000), deadline=1.5)]).replies[0]
                with pytest.raises(ConnectionLost) as caught:
                    await reply
                assert caught.value.code == "timeout"
                assert abs(time.monotonic() - begun - 2) < 1

    finish(work)


# -- row 26: partitions


def test_a_dead_peer_is_noticed(sshd: PrivateSshd) -> None:
    async def work() -> None:
        async with (
            relay_to(sshd.port) as relay,
            opened(through(sshd, relay, Tuning(keepalive_interval=1, keepalive_count=3))) as session,
        ):
            mark, argv = marked_sleep()
            reply = session.submit([Step("t_spawn", {"argv": argv})]).replies[0]
            await asyncio.sleep(0.5)
            relay.hold()
            begun = time.monotonic()
            with pytest.raises(ConnectionLost) as caught:
                await reply
            assert caught.value.code == "connection-lost"
            assert time.monotonic() - begun < 1 * 3 + 1
            relay.cut()
            assert await gone(mark, 10), "the host's side ends its work when the connection is gone"

    finish(work)


def test_a_short_partition_is_survived(sshd: PrivateSshd) -> None:
    async def work() -> None:
        async with (
            relay_to(sshd.port) as relay,
            opened(through(sshd, relay, Tuning(keepalive_interval=1, keepalive_count=5))) as session,
        ):
            reply = session.submit([Step("t_sleep", {"seconds": 1})]).replies[0]
            await asyncio.sleep(0.2)
            relay.hold()
            await asyncio.sleep(3)
            relay.release()
            assert (await reply).result["slept"] == 1
            assert (await ask(session, "ping", data="x"))["ping"] == "x"

    finish(work)


@pytest.mark.skipif(not ROOT or not shutil.which("iptables"), reason="needs root and iptables, to drop packets")
@pytest.mark.parametrize("direction", ["--dport", "--sport"])
def test_dropped_packets(sshd: PrivateSshd, direction: str) -> None:
    rule = ["INPUT", "-i", "lo", "-p", "tcp", direction, str(sshd.port), "-j", "DROP"]

    async def work() -> None:
        async with opened(SshTransport(sshd.address(), Tuning(keepalive_interval=1, keepalive_count=3))) as session:
            reply = session.submit([Step("t_sleep", {"seconds": 60})]).replies[0]
            await asyncio.sleep(0.3)
            subprocess.run(["iptables", "-w", "-I", *rule], check=True)
            begun = time.monotonic()
            with pytest.raises(ConnectionLost):
                await reply
            assert time.monotonic() - begun < 1 * 3 + 1

    try:
        if subprocess.run(["iptables", "-w", "-C", *rule], capture_output=True, check=False).returncode > 1:
            pytest.skip("iptables does not work here")
        finish(work)
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], capture_output=True, check=False)


def test_a_cut_connection_is_lost_at_once_and_made_anew(sshd: PrivateSshd) -> None:
    async def work() -> None:
        async with relay_to(sshd.port) as relay:
            transport = through(sshd, relay)
            async with opened(transport) as session:
                reply = session.submit([Step("t_sleep", {"seconds": 60})]).replies[0]
                await asyncio.sleep(0.3)
                begun = time.monotonic()
                relay.cut()
                with pytest.raises(ConnectionLost):
                    await reply
                assert time.monotonic() - begun < 0.5
                assert (await ask(await transport.session(), "ping", data="x"))["ping"] == "x"

    finish(work)


def test_a_frozen_server_is_noticed(tmp_path: Path) -> None:
    """Its kernel answers keepalive probes; only a question to sshd itself shows that it is stopped."""
    import signal

    server = PrivateSshd(tmp_path / "sshd").start()

    async def work() -> None:
        async with opened(SshTransport(server.address(), Tuning(keepalive_interval=1, keepalive_count=3))) as session:
            reply = session.submit([Step("t_sleep", {"seconds": 60})]).replies[0]
            await asyncio.sleep(0.3)
            stopped = server.children()
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            begun = time.monotonic()
            try:
                with pytest.raises(ConnectionLost):
                    await reply
                assert time.monotonic() - begun < 1 * 3 + 1
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)

    try:
        finish(work)
    finally:
        server.stop()


def test_a_slow_reader_does_not_hold_the_loop(sshd: PrivateSshd) -> None:
    async def work() -> None:
        async with relay_to(sshd.port) as relay:
            slow, quick = through(sshd, relay), SshTransport(sshd.address())
            async with opened(slow) as one, opened(quick) as two:
                relay.hold()
                big = one.submit([Step("t_echo", {}, body=os.urandom(30 * MIB))]).replies[0]
                slowest = 0.0
                for _ in range(20):
                    begun = time.monotonic()
                    await ask(two, "ping", data="x")
                    slowest = max(slowest, time.monotonic() - begun)
                assert slowest < 0.5
                relay.release()
                assert len((await big).body or b"") == 30 * MIB

    finish(work)


# -- row 27: a long way


def test_a_start_and_a_step_are_few_round_trips(sshd: PrivateSshd) -> None:
    """With 100 ms each way: a session in about two round trips behind the login, a step in one."""

    async def work() -> None:
        async with delayed(sshd.port, 0.1) as port:
            args = f"-F none -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null -o 'HostKeyAlias=[127.0.0.1]:{sshd.port}'"
            transport = SshTransport(sshd.address(port=port, ssh_args=args))
            await transport.connect()
            begun = time.monotonic()
            session = await transport.session()
            started = time.monotonic() - begun
            begun = time.monotonic()
            await asyncio.gather(*session.submit([Step("ping", {"data": str(n)}) for n in range(50)]).replies)
            stepped = time.monotonic() - begun
            await transport.close()
            assert started < 3 * 0.2 + 0.5
            assert stepped < 0.2 + 0.2

    finish(work)


def delayed(port: int, seconds: float) -> Any:
    import contextlib

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        loop = asyncio.get_running_loop()

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                loop.call_later(seconds, target.write, data)
            loop.call_later(seconds, target.close)

        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer), return_exceptions=True)

    @contextlib.asynccontextmanager
    async def relay() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    return relay()


# -- row 28: servers that are full or restart


def test_forty_logins_at_a_server_that_takes_two(tmp_path: Path) -> None:
    server = PrivateSshd(tmp_path / "sshd", "MaxStartups 2:50:4").start()

    async def work() -> None:
        transports = [SshTransport(server.address(timeout=20.0)) for _ in range(40)]
        results = await asyncio.gather(*(transport.exec("echo in") for transport in transports), return_exceptions=True)
        assert [result for result in results if not isinstance(result, dict)] == []
        await asyncio.gather(*(transport.close() for transport in transports))

    try:
        finish(work, 60)
    finally:
        server.stop()


def test_a_server_that_allows_one_session(tmp_path: Path) -> None:
    server = PrivateSshd(tmp_path / "sshd", "MaxSessions 1").start()

    async def work() -> None:
        transport = SshTransport(server.address(python="/usr/bin/python3"))
        first = await transport.session()
        second = await transport.session(Become("nobody", "su", flags="-s /bin/sh")) if ROOT else first
        assert (await transport.exec("echo third"))["stdout"] == "third\n"
        for session in (first, second):
            assert (await ask(session, "ping", data="x"))["ping"] == "x"
        await transport.close()

    try:
        finish(work)
    finally:
        server.stop()


def test_sessions_outlive_a_restart_of_the_server(tmp_path: Path) -> None:
    server = PrivateSshd(tmp_path / "sshd").start()

    async def work() -> None:
        transport = SshTransport(server.address(timeout=10.0))
        session = await transport.session()
        server.stop(sessions_too=False)
        assert (await ask(session, "ping", data="x"))["ping"] == "x"
        fresh = SshTransport(server.address(timeout=10.0))
        connecting = asyncio.ensure_future(fresh.connect())
        await asyncio.sleep(0.6)
        await asyncio.to_thread(server.start)
        await connecting
        assert (await ask(session, "ping", data="x"))["ping"] == "x"
        for one in (transport, fresh):
            await one.close()

    try:
        finish(work)
    finally:
        server.stop()
