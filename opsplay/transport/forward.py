"""Forward: local sockets that lead to a host's TCP ports and unix sockets, for PostgreSQL, Redis and the like."""

from __future__ import annotations

import socket


async def connect_here(target: tuple[str, int] | str) -> socket.socket:
    """A connected socket to the target on this machine."""
    import asyncio

    loop = asyncio.get_running_loop()
    family = socket.AF_UNIX if isinstance(target, str) else socket.AF_UNSPEC
    if isinstance(target, tuple):
        found = await loop.getaddrinfo(*target, type=socket.SOCK_STREAM)
        family, address = found[0][0], found[0][4]
    else:
        address = target  # type: ignore[assignment]
    connected = socket.socket(family, socket.SOCK_STREAM)
    connected.setblocking(False)
    try:
        await loop.sock_connect(connected, address)
    except BaseException:
        connected.close()
        raise
    return connected
