"""Bridge: a local socket whose other end is a channel, with flow control both ways."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from opsplay.transport.link import Listener
from opsplay.transport.ssh_stream import BACKLOG, SshStream

CHUNK = 64 * 1024


async def bridged(open_stream: Callable[[Listener], Awaitable[SshStream]]) -> socket.socket:
    """A connected socket; what is written to it goes through the stream that `open_stream` opens."""
    bridge = Bridge()
    bridge.stream = await open_stream(bridge)
    return bridge.join()


class Bridge:
    """Listens to the stream and to our end of a socket pair."""

    stream: SshStream

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ours: socket.socket | None = None
        self._early: list[bytes] = []
        self._towards_user = bytearray()
        self._reading = False
        self._ended = False

    def join(self) -> socket.socket:
        self._ours, theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._read_on()
        for data in self._early:
            self.output(data)
        if self._ended:
            self._close()
        return theirs

    # -- from the host

    def output(self, data: bytes) -> None:
        if self._ours is None:
            self._early.append(data)
            return
        waiting = bool(self._towards_user)
        self._towards_user += data
        if not waiting:
            self._write()

    def errors(self, data: bytes) -> None:
        return None

    def ended(self, status: int | None, why: str) -> None:
        self._ended = True
        if self._ours is not None and not self._towards_user:
            self._close()

    def _write(self) -> None:
        assert self._ours is not None
        try:
            del self._towards_user[: self._ours.send(self._towards_user)]
        except BlockingIOError:
            pass
        except OSError:
            self._close()
            return
        if self._towards_user:
            self._loop.add_writer(self._ours, self._write)
            self.stream.pause()
            return
        self._loop.remove_writer(self._ours)
        self.stream.resume()
        if self._ended:
            self._close()

    # -- from the user

    def _read_on(self) -> None:
        if not self._reading and self._ours is not None:
            self._reading = True
            self.stream.when_roomy = None
            self._loop.add_reader(self._ours, self._read)

    def _read(self) -> None:
        assert self._ours is not None
        try:
            data = self._ours.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._stop_reading()
            self.stream.finish()
            if self._ours is not None and _is_closed(self._ours):
                self._close()
            return
        self.stream.send(data)
        if self.stream.queued > BACKLOG:
            self._stop_reading()
            self.stream.when_roomy = self._read_on

    def _stop_reading(self) -> None:
        if self._reading and self._ours is not None:
            self._reading = False
            self._loop.remove_reader(self._ours)

    def _close(self) -> None:
        if self._ours is not None:
            self._stop_reading()
            self._loop.remove_writer(self._ours)
            self._ours.close()
            self._ours = None
        self._ended = True
        self.stream.close()


def _is_closed(sock: socket.socket) -> bool:
    """True when the user closed the socket, and did not only end its writing."""
    import select

    poll = select.poll()
    poll.register(sock, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
