"""SSH: one connection to one host by paramiko; interpreters, commands and forwarded sockets are channels of it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from typing import Any

import opsplay.transport.lean_paramiko  # noqa: F401  before the first import of paramiko
from opsplay.transport.bridge import bridged
from opsplay.transport.kept import KeptTransport
from opsplay.transport.link import Link, Listener
from opsplay.transport.protocol import Address, Become, ConnectionLost, Unreachable
from opsplay.transport.ssh_connect import connect
from opsplay.transport.ssh_route import Route, find_route
from opsplay.transport.ssh_stream import ChannelRefused, SshStream, add_text
from opsplay.transport.ssh_wire import SshWire
from opsplay.transport.tuning import Tuning

logging.getLogger("paramiko").addHandler(logging.NullHandler())


class SshTransport(KeptTransport):
    """`notices` is what the operator should know about how the login was done."""

    def __init__(self, address: Address, tuning: Tuning | None = None) -> None:
        super().__init__(address, tuning or Tuning())
        self.notices: list[str] = []
        self._connections: list[Connection] = []
        self._connecting = asyncio.Lock()
        self._route: Route | None = None

    async def connect(self) -> None:
        """See protocol.Transport. A connection that was lost is made anew."""
        async with self._connecting:
            if not any(connection.alive for connection in self._connections):
                await self._add_connection()

    async def _add_connection(self) -> Connection:
        if self._route is None:
            self._route = find_route(self.address)
            self.notices += self._route.notices
            if self._route.keepalive:
                interval, count = self._route.keepalive
                self.tuning = dataclasses.replace(self.tuning, keepalive_interval=interval, keepalive_count=count)
        wire, passed = await connect(self._route, self.tuning, self.notices)
        connection = Connection(wire, passed, self.tuning, self.address.host)
        self._connections = [*(one for one in self._connections if one.alive), connection]
        return connection

    async def open_link(self, command: str, listener: Listener, pty: bool = False) -> Link:
        stream = await self._open(listener, "session")
        if self._route is not None and self._route.forward_agent:
            from paramiko.agent import AgentRequestHandler

            AgentRequestHandler(_AgentDoor(stream))
        if pty:
            stream.request("pty-req", add_text("dumb", 250, 60, 0, 0, _RAW_MODES))
        stream.request("exec", add_text(command))
        return stream

    async def _open(self, listener: Listener, kind: str, *extra: Any) -> SshStream:
        """A channel on a connection that has room; a further connection where the host allows no more (MaxSessions)."""
        await self.connect()
        for connection in self._connections:
            try:
                if connection.alive and (kind != "session" or not connection.full):
                    return await connection.open(listener, kind, *extra)
            except ChannelRefused:
                if kind != "session" or connection.unused:
                    raise
                connection.full = True
        async with self._connecting:
            connection = await self._add_connection()
        return await connection.open(listener, kind, *extra)

    async def wire(self) -> SshWire:
        """The authenticated paramiko transport, for fabric_bridge."""
        await self.connect()
        return self._connections[0].wire

    async def open_stream(self, target: tuple[str, int] | str, become: Become | None = None) -> Any:
        """See protocol.Transport. Without become it is sshd that connects, as the user who logged in."""
        if become is not None:
            return await super().open_stream(target, become)
        kind, extra = "direct-tcpip", (*target, "127.0.0.1", 0)
        if isinstance(target, str):
            kind, extra = "direct-streamlocal@openssh.com", (target, "", 0)
        try:
            return await bridged(lambda listener: self._open(listener, kind, *extra))
        except ChannelRefused as error:
            place = target if isinstance(target, str) else f"{target[0]}:{target[1]}"
            raise Unreachable(
                "stream-refused",
                f"{self.address.host} does not forward to {place}: {error.message}",
                "Is the service running there, and may the user reach it? AllowStreamLocalForwarding and "
                "AllowTcpForwarding in its sshd_config decide about forwarding.",
            ) from None

    async def close(self) -> None:
        """Ends the interpreters, then the connections."""
        await super().close()
        connections, self._connections = self._connections, []
        for connection in connections:
            await connection.close()


_RAW_MODES = bytes([53]) + (0).to_bytes(4, "big") + bytes([0])  # ECHO off


class _AgentDoor:
    """What paramiko's agent forwarding wants to know of a channel."""

    def __init__(self, stream: SshStream) -> None:
        self._stream = stream

    def request_forward_agent(self, handler: Any) -> None:
        self._stream.wire._set_forward_agent_handler(handler)
        self._stream.request("auth-agent-req@openssh.com", add_text())


class Connection:
    """One authenticated wire, watched for signs of life."""

    def __init__(self, wire: SshWire, passed: list[SshWire], tuning: Tuning, host: str) -> None:
        self.alive = True
        self.full = False
        self.wire = wire
        self._passed = passed
        self._tuning = tuning
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._expected = time.monotonic() + tuning.keepalive_interval
        self._timer = self._loop.call_later(tuning.keepalive_interval, self._watch)
        wire.attach(self._loop, self._down)

    @property
    def unused(self) -> bool:
        return not self.wire.streams

    async def open(self, listener: Listener, kind: str, *extra: Any) -> SshStream:
        if not self.alive:
            raise ConnectionLost("connection-lost", f"the connection to {self._host} is over")
        stream = SshStream(self.wire, listener)
        await stream.open(kind, add_text(*extra) if extra else None)
        return stream

    def _watch(self) -> None:
        """A host that is silent for interval * count, although asked, is lost."""
        now = time.monotonic()
        interval, limit = (
            self._tuning.keepalive_interval,
            self._tuning.keepalive_interval * self._tuning.keepalive_count,
        )
        if now - self._expected > interval:  # we slept ourselves (a suspended laptop): judge anew
            self.wire.wire.heard = now
        silent = now - self.wire.wire.heard
        if silent >= limit:
            self._lose(f"it was silent for {silent:.1f} seconds")
            return
        if silent >= interval * 0.9:
            self.wire.beat()
        pause = max(0.05, min(interval, limit - silent))
        self._expected = now + pause
        self._timer = self._loop.call_later(pause, self._watch)

    def _down(self) -> None:
        error = self.wire.get_exception()
        self._lose(str(error) if error and str(error) else "the host closed it")

    def _lose(self, why: str) -> None:
        if not self.alive:
            return
        self._end()
        for stream in list(self.wire.streams.values()):
            stream.lost(why)
        self.wire.streams.clear()

    def _end(self) -> None:
        self.alive = False
        self._timer.cancel()
        for wire in (self.wire, *reversed(self._passed)):
            wire.let_go()

    async def close(self) -> None:
        """Lets what was posted go out, then ends."""
        for _ in range(40):
            if not self.wire.backlog or not self.alive:
                break
            await asyncio.sleep(0.01)
        if self.alive:
            self._end()
