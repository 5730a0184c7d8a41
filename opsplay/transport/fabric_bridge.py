"""Fabric over our connections: `run`, `put` and `get` of Fabric, with host keys checked and settings read by us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsplay.transport.ssh import SshTransport

if TYPE_CHECKING:
    from fabric import Connection


async def fabric_connection(transport: SshTransport) -> Connection:
    """A connected fabric.Connection that shares the transport's connection; it is over when the transport is closed.

    Fabric by itself accepts any host key. This one never connects by itself: its paramiko transport is already ours.
    Its calls block, so use it in a thread: `await asyncio.to_thread(connection.run, "uptime", hide=True)`.
    """
    from fabric import Connection
    from paramiko import RejectPolicy, SSHClient

    wire = await transport.wire()
    client = SSHClient()
    client.set_missing_host_key_policy(RejectPolicy())
    client._transport = wire
    address = transport.address
    connection = Connection(address.hostname or address.host, user=wire.get_username(), port=address.port or 22)
    connection.client, connection.transport = client, wire
    return connection
