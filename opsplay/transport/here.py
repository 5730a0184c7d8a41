"""Here: sockets to what listens on this machine, for the local transport."""

from __future__ import annotations

import asyncio
import socket


async def connect_here(target: tuple[str, int] | str) -> socket.socket:
    """A connected, blocking socket to the target on this machine."""
    loop = asyncio.get_running_loop()
    family, address = socket.AF_UNIX, target
    if not isinstance(target, str):
        found = await loop.getaddrinfo(*target, type=socket.SOCK_STREAM)
        family, address = found[0][0], found[0][4]  # type: ignore[assignment]
    connected = socket.socket(family, socket.SOCK_STREAM)
    connected.setblocking(False)
    try:
        await loop.sock_connect(connected, address)
    except BaseException:
        connected.close()
        raise
    connected.setblocking(True)
    return connected
