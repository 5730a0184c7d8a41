"""Connect: the way to an authenticated wire: TCP, jumps, retries while a server drops early, one deadline over all."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import paramiko

from opsplay.transport.protocol import Unreachable
from opsplay.transport.ssh_login import DroppedEarly, log_in
from opsplay.transport.ssh_route import Hop, Route
from opsplay.transport.ssh_wire import SshWire
from opsplay.transport.tuning import Tuning

FIRST_PAUSE = 0.2
REFUSED_PATIENCE = 3.0  # a server that restarts refuses for a moment
TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", 18)


@lru_cache(maxsize=4)
def login_threads(count: int) -> ThreadPoolExecutor:
    """The threads that log in; shared by all hosts, so that a thousand of them are not a thousand threads."""
    return ThreadPoolExecutor(count, thread_name_prefix="opsplay-login")


class Attempt:
    """One connection being made; `abandon` ends what its thread waits for."""

    def __init__(self, route: Route, tuning: Tuning, notices: list[str]) -> None:
        self.route = route
        self.tuning = tuning
        self.notices = notices
        self._open: list[Any] = []
        self.stage = "connect"

    def abandon(self) -> None:
        for thing in reversed(self._open):
            with contextlib.suppress(Exception):
                thing.let_go() if isinstance(thing, SshWire) else thing.close()

    def keep(self, thing: Any) -> Any:
        self._open.append(thing)
        return thing

    def log_in_all(self, sock: Any) -> tuple[SshWire, list[SshWire]]:
        """In a thread: hop by hop. The last wire and those that it passes through."""
        passed: list[SshWire] = []
        hops = self.route.hops
        for index, hop in enumerate(hops):
            self.stage = f"log in to {hop.hostname}"
            wire = self.keep(SshWire(sock))
            log_in(wire, hop, self.notices)
            if index + 1 == len(hops):
                return wire, passed
            passed.append(wire)
            sock = self.keep(self._through(wire, hop, hops[index + 1]))
        raise AssertionError("a route has a target")

    def _through(self, wire: SshWire, hop: Hop, target: Hop) -> paramiko.Channel:
        try:
            return wire.open_channel("direct-tcpip", (target.hostname, target.port), ("127.0.0.1", 0), timeout=60)
        except paramiko.SSHException as error:
            raise Unreachable(
                "jump-failed",
                f"the jump host {hop.hostname} does not reach {target.hostname}:{target.port}: {error}",
                f"Try there: ssh {hop.user}@{hop.hostname} nc -vz {target.hostname} {target.port}",
            ) from None


async def connect(route: Route, tuning: Tuning, notices: list[str]) -> tuple[SshWire, list[SshWire]]:
    """Raises Unreachable within the route's timeout."""
    deadline = time.monotonic() + route.timeout
    pause = FIRST_PAUSE
    while True:
        attempt = Attempt(route, tuning, notices)
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await _once(attempt)
        except TimeoutError:
            attempt.abandon()
            raise _late(attempt) from None
        except (DroppedEarly, ConnectionResetError) as error:
            attempt.abandon()
            if time.monotonic() + pause > deadline:
                raise _dropped(route, error) from None
        except ConnectionRefusedError:
            attempt.abandon()
            if time.monotonic() + pause > deadline - route.timeout + REFUSED_PATIENCE:
                raise _unreached(route, "connect-refused", "refused the connection: nothing listens there") from None
        except BaseException:
            attempt.abandon()
            raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 1.6, 2.0)


async def _once(attempt: Attempt) -> tuple[SshWire, list[SshWire]]:
    loop = asyncio.get_running_loop()
    route = attempt.route
    if route.proxy_command:
        sock = attempt.keep(_start_proxy(route.proxy_command))
    else:
        sock = attempt.keep(await _dial(route, attempt.tuning))
        attempt.stage = "say who it is"
        await _greeted(sock)
    sock.setblocking(True)
    threads = login_threads(attempt.tuning.connects_at_once)
    return await loop.run_in_executor(threads, _quietly, attempt, sock)


def _quietly(attempt: Attempt, sock: socket.socket) -> tuple[SshWire, list[SshWire]]:
    """paramiko's own errors of a login that was cut off, as ours."""
    try:
        return attempt.log_in_all(sock)
    except (paramiko.SSHException, EOFError, OSError) as error:
        if isinstance(error, ConnectionResetError):
            raise
        raise _unreached(attempt.route, "login-broken", f"ended the login: {error or type(error).__name__}") from error


async def _dial(route: Route, tuning: Tuning) -> socket.socket:
    """A connected TCP socket to the first hop: the first of its addresses that answers."""
    loop = asyncio.get_running_loop()
    hop = route.hops[0]
    try:
        found = await loop.getaddrinfo(hop.hostname, hop.port, type=socket.SOCK_STREAM, family=route.family)
    except OSError as error:
        raise _unreached(route, "host-not-found", f"is not known to the resolver: {error.strerror or error}") from None
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            tune_socket(sock, tuning)
            await loop.sock_connect(sock, address)
            return sock
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
    if isinstance(problem, ConnectionRefusedError | ConnectionResetError):
        raise problem
    raise _unreached(route, "connect-failed", f"cannot be reached: {problem.strerror or problem}")


def tune_socket(sock: socket.socket, tuning: Tuning) -> None:
    """No Nagle (it costs 40 ms a request), and a dead peer is noticed by the kernel too."""
    patience = int(tuning.keepalive_interval * tuning.keepalive_count * 1000)
    for level, name, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, TCP_USER_TIMEOUT, patience),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), max(1, int(tuning.keepalive_interval))),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), max(1, int(tuning.keepalive_interval))),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), tuning.keepalive_count),
    ):
        with contextlib.suppress(OSError):
            sock.setsockopt(level, name, value)


async def _greeted(sock: socket.socket) -> None:
    """Waits without a thread until the server speaks. Raises DroppedEarly when it hangs up instead."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def greet() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock.fileno(), greet)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())
    if not sock.recv(1, socket.MSG_PEEK):
        raise DroppedEarly("the server hung up before its banner")


def _start_proxy(command: str) -> socket.socket:
    """The user's ProxyCommand, its input and output as a socket."""
    ours, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        subprocess.Popen(["/bin/sh", "-c", f"exec {command}"], stdin=end, stdout=end, start_new_session=True)
    return ours


def _unreached(route: Route, code: str, what: str) -> Unreachable:
    hop = route.hops[0]
    return Unreachable(code, f"{hop.hostname}:{hop.port} {what}", f"Try: ssh -p {hop.port} {hop.user}@{hop.hostname}")


def _late(attempt: Attempt) -> Unreachable:
    return _unreached(
        attempt.route, "connect-timeout", f"did not {attempt.stage} within {attempt.route.timeout:g} seconds"
    )


def _dropped(route: Route, error: Exception) -> Unreachable:
    return Unreachable(
        "connect-dropped",
        f"{route.hops[0].hostname}:{route.hops[0].port} hung up at once, for {route.timeout:g} seconds: {error}",
        "Too many logins at once for its MaxStartups? Lower --forks, raise ansible_timeout, or raise MaxStartups there.",
    )
