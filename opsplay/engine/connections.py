"""Connections: one transport a host, opened when it is first needed, kept for the whole run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from opsplay.settings import Settings
from opsplay.transport.protocol import Address, Become, Session, Transport, Unreachable

TOLD = 3  # from -vvv
Open = Callable[[Address, Settings], Transport]


class Connections:
    """The pool. A transport bounds how many log in at a time; a failed one may be tried again."""

    def __init__(self, settings: Settings, open_transport: Open | None = None, plugins: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self.plugins = plugins  # folders of connection plugins, which only Ansible's own process can run
        self.tell: Callable[[str, str], None] = lambda text, host: None  # -vvv: how hosts are reached
        self._open = open_transport
        self._transports: dict[Address, asyncio.Task[Transport]] = {}
        self._sessions: dict[tuple[Address, Become | None, str], asyncio.Task[Session]] = {}

    async def transport(self, address: Address) -> Transport:
        """Raises Unreachable."""
        task = self._transports.get(address)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._transports[address] = asyncio.ensure_future(self._connect(address))
        return await asyncio.shield(task)

    async def _connect(self, address: Address) -> Transport:
        if self._open is None:
            from opsplay.transport.connect import transport_for

            self._open = transport_for
        self._refuse_plugin(address)
        if self.settings.verbosity >= TOLD:
            self.tell(f"ESTABLISH {address.connection.upper()} CONNECTION FOR USER: {address.user}", address.host)
        transport = self._open(address, self.settings)
        await transport.connect()
        return transport

    def _refuse_plugin(self, address: Address) -> None:
        """A host whose connection is a plugin of the user's cannot be reached. Raises Unreachable."""
        for folder in self.plugins:
            path = Path(folder, f"{address.connection}.py")
            if path.is_file():
                raise Unreachable(
                    "connection-plugin", f'"{address.connection}" is a connection plugin written for Ansible\'s own process ({path}); '
                    "opsplay cannot run it", "Use connection: ssh or local.",
                )  # fmt: skip

    async def session(self, address: Address, become: Become | None) -> Session:
        """The kept interpreter for that user. Raises Unreachable, BecomeFailed."""
        key = (address, become, address.python)
        task = self._sessions.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() or not task.result().usable)):
            task = self._sessions[key] = asyncio.ensure_future(self._start(address, become))
        return await asyncio.shield(task)

    def open_session(self, address: Address, become: Become | None) -> Session | None:
        """The session if it is up already, without waiting."""
        task = self._sessions.get((address, become, address.python))
        return (
            task.result()
            if task is not None and task.done() and not task.cancelled() and not task.exception() and task.result().usable
            else None
        )

    async def _start(self, address: Address, become: Become | None) -> Session:
        transport = await self.transport(address)
        if become is not None and self.settings.verbosity >= TOLD:
            from opsplay.transport.become import words_of

            self.tell(f"EXEC {words_of(become)} /bin/sh", address.host)
        return await transport.session(become, address.python)

    async def end_user(self, address: Address, user: str) -> list[int]:
        """Close the sessions of one become-user on a host; the process ids of what ends there."""
        pids: list[int] = []
        for key in [key for key in self._sessions if key[0] == address and key[1] is not None and key[1].user == user]:
            task = self._sessions.pop(key)
            if task.done() and not task.cancelled() and not task.exception():
                hello = getattr(task.result(), "hello", None)
                pids += [hello.result()["pid"]] if hello is not None and hello.done() else []
                await task.result().close()
        return pids

    async def drop(self, address: Address) -> None:
        """Forget a host's connection (it rebooted, or meta: reset_connection); the next use connects again."""
        for key in [key for key in self._sessions if key[0] == address]:
            del self._sessions[key]
        task = self._transports.pop(address, None)
        if task is not None and task.done() and not task.cancelled() and not task.exception():
            await task.result().close()

    async def close(self) -> None:
        transports = [
            task.result()
            for task in self._transports.values()
            if task.done() and not task.cancelled() and not task.exception()
        ]
        for task in (*self._transports.values(), *self._sessions.values()):
            task.cancel()
        await asyncio.gather(*(transport.close() for transport in transports), return_exceptions=True)
        self._transports.clear()
        self._sessions.clear()
