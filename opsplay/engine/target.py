"""Target: a host as one user, for one task: where its modules go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opsplay.transport.protocol import Address, Become, Reply, Step

if TYPE_CHECKING:
    import asyncio

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
        session = self.connections.open_session(self.address, self.become) or await self.connections.session(
            self.address, self.become
        )
        request = session.submit([step])
        try:
            reply = await request.replies[0]
        except BaseException as error:
            import asyncio as loop

            if isinstance(error, loop.CancelledError):
                await loop.shield(request.cancel())
            raise
        if reply.body is not None:
            reply.result["_body"] = reply.body
        return reply

    async def submit(self, steps: Sequence[Step]) -> Sequence[asyncio.Future[Reply]]:
        session = self.connections.open_session(self.address, self.become) or await self.connections.session(
            self.address, self.become
        )
        return session.submit(steps).replies

    async def drop(self) -> None:
        await self.connections.drop(self.address)
