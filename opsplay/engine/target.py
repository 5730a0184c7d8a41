"""Target: a host as one user, for one task: where its modules go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opsplay.engine.profile import note_network, note_reply
from opsplay.transport.protocol import Address, Become, Reply, Request, Session, Step

if TYPE_CHECKING:
    from opsplay.engine.connections import Connections


class Target:
    __slots__ = ("address", "become", "connections")

    def __init__(self, connections: Connections, address: Address, become: Become | None) -> None:
        self.connections = connections
        self.address = address
        self.become = become

    async def run(self, step: Step) -> dict[str, Any]:
        """The step's result; `_body` holds raw bytes that came with it. Raises Unreachable and its kind."""
        return (await self.reply(step)).result

    async def reply(self, step: Step) -> Reply:
        session = await self.session()
        request = session.submit([step])
        try:
            reply = await request.replies[0]
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                await asyncio.shield(request.cancel())
            raise
        note_reply(reply)
        if reply.body is not None:
            reply.result["_body"] = reply.body
        return reply

    async def submit(self, steps: Sequence[Step]) -> Request:
        """The steps in one frame, under way. Raises Unreachable and its kind."""
        return (await self.session()).submit(steps)

    async def session(self) -> Session:
        session = self.connections.open_session(self.address, self.become)
        if session is None:
            begun = time.monotonic()
            session = await self.connections.session(self.address, self.become)
            note_network(time.monotonic() - begun)
        return session

    @property
    def executable(self) -> str:
        """The Python that the kept interpreter runs by; nothing where none is up."""
        session = self.connections.open_session(self.address, self.become)
        hello = getattr(session, "hello", None)
        return str(hello.result().get("executable", "")) if hello is not None and hello.done() and not hello.exception() else ""

    async def end_user(self, user: str) -> None:
        """Let the interpreters of that user go, and wait up to 3 s until they are gone."""
        for pid in await self.connections.end_user(self.address, user):
            for _ in range(30):
                found = await self.run(Step("stat", {"path": f"/proc/{pid}", "get_checksum": False, "get_mime": False, "get_attributes": False, "follow": False}))
                if not found.get("stat", {}).get("exists"):
                    break
                await asyncio.sleep(0.1)

    async def drop(self) -> None:
        await self.connections.drop(self.address)
