"""SshStream: one SSH channel as a link: opened, requested and fed on the event loop without a thread of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from paramiko import Message

from opsplay.errors import OpsError
from opsplay.transport.link import Listener
from opsplay.transport.protocol import ConnectionLost
from opsplay.transport.ssh_packets import BATCH
from opsplay.transport.ssh_wire import SshWire

WINDOW = 2 * 1024 * 1024
PACKET = 32 * 1024
BACKLOG = 1024 * 1024

_OPEN, _ADJUST, _EOF, _CLOSE, _REQUEST = (bytes([number]) for number in (90, 93, 96, 97, 98))


class ChannelRefused(OpsError):
    """The host does not open another channel on this connection (MaxSessions), or not to that target."""


class SshStream:
    """The methods with a leading underscore are what paramiko's thread calls."""

    def __init__(self, wire: SshWire, listener: Listener) -> None:
        self.listener = listener
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.when_roomy: Callable[[], None] | None = None
        self.wire = wire
        self._number = wire.new_number(self)
        self._remote = 0
        self._room = 0
        self._pump_due = False
        self._packet = PACKET
        self._queue: deque[memoryview] = deque()
        self.queued = 0
        self._consumed = 0
        self._paused = False
        self._finishing = False
        self._eof_sent = False
        self._closed = False
        self._established = False
        self._waits_for_wire = False
        self._status: int | None = None
        self._why = "the channel was closed"

    async def open(self, kind: str, extra: Callable[[Message], None] | None = None) -> None:
        """Opens the channel. Raises ChannelRefused or ConnectionLost."""
        message = Message()
        message.add_byte(_OPEN)
        message.add_string(kind)
        message.add_int(self._number)
        message.add_int(WINDOW)
        message.add_int(PACKET)
        if extra is not None:
            extra(message)
        self.wire.post(message)
        try:
            await self.opened
        except asyncio.CancelledError:
            self.close()
            raise

    def request(self, kind: str, fill: Callable[[Message], None]) -> None:
        """A channel request that wants no reply: its failure shows in what follows."""
        message = self._message(_REQUEST)
        message.add_string(kind)
        message.add_boolean(False)
        fill(message)
        self.wire.post(message)

    def _message(self, kind: bytes) -> Message:
        message = Message()
        message.add_byte(kind)
        message.add_int(self._remote)
        return message

    # -- link

    def send(self, data: bytes) -> None:
        if data and not self._closed and not self._finishing:
            self._queue.append(memoryview(data))
            self.queued += len(data)
            self._pump()

    def finish(self) -> None:
        self._finishing = True
        self._pump()

    def signal(self, name: str) -> None:
        if self._established and not self._closed:
            self.request("signal", add_text(name))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._queue.clear()
        if self._established:
            self._let_go()

    def _let_go(self) -> None:
        self.wire.post(self._message(_CLOSE))
        self.wire.drop_stream(self._number)

    def pause(self) -> None:
        """Lets the host's window run dry: who listens cannot take more."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._grant()

    def _pump(self) -> None:
        """Sends what the host's window and the connection's backlog allow."""
        while self._queue and self._room and not self._waits_for_wire:
            self.wire.post_data(self._remote, self._chunks())
            if self.wire.backlog > BACKLOG:
                self._waits_for_wire = True
                self.wire.when_drained.append(self._wire_drained)
        if self._finishing and not self._queue and not self._eof_sent and not self._closed and self._established:
            self._eof_sent = True
            self.wire.post(self._message(_EOF))
        if self.when_roomy is not None and self.queued < BACKLOG:
            self.when_roomy()

    def _chunks(self) -> list[memoryview]:
        """What goes out next, as packets, from the queue."""
        chunks: list[memoryview] = []
        while self._queue and self._room and len(chunks) < BATCH:
            first = self._queue[0]
            chunk = first[: min(self._room, self._packet)]
            chunks.append(chunk)
            self._room -= len(chunk)
            if len(chunk) < len(first):
                self._queue[0] = first[len(chunk) :]
            else:
                self._queue.popleft()
        self.queued -= sum(map(len, chunks))
        return chunks

    def _wire_drained(self) -> None:
        self._waits_for_wire = False
        self._pump()

    # -- in paramiko's thread

    def _set_remote_channel(self, number: int, window: int, packet: int) -> None:
        self.wire.tell(self._was_opened, number, window, packet)

    def _feed(self, message: Message) -> None:
        self.wire.tell(self._heard, message.get_binary(), False)

    def _feed_extended(self, message: Message) -> None:
        message.get_int()
        self.wire.tell(self._heard, message.get_binary(), True)

    def _window_adjust(self, message: Message) -> None:
        self.wire.tell(self._may_send, message.get_int())

    def _handle_request(self, message: Message) -> None:
        kind = message.get_text()
        message.get_boolean()
        if kind == "exit-status":
            self.wire.tell(self._exited, message.get_int(), "the process ended")
        elif kind == "exit-signal":
            self.wire.tell(self._exited, None, f"the process was ended by signal {message.get_text()}")

    def _handle_eof(self, message: Message) -> None:
        return None

    def _handle_close(self, message: Message) -> None:
        self.wire.tell(self._was_closed)

    def _request_success(self, message: Message) -> None:
        return None

    def _request_failed(self, message: Message) -> None:
        return None

    def _unlink(self) -> None:
        return None

    # -- on the loop

    def _was_opened(self, number: int, window: int, packet: int) -> None:
        self._remote, self._room, self._packet = number, window, max(1, min(PACKET, packet) - 64)
        self._established = True
        if self._closed:  # given up while it was being opened
            self._let_go()
        elif not self.opened.done():
            self.opened.set_result(None)

    def refused(self, why: str) -> None:
        self.wire.drop_stream(self._number)
        if not self.opened.done():
            self.opened.set_exception(ChannelRefused("channel-refused", f"the host refused a channel: {why[:200]}"))

    def _heard(self, data: bytes, is_error: bool) -> None:
        if self._closed:
            return
        self._consumed += len(data)
        if is_error:
            self.listener.errors(data)
        else:
            self.listener.output(data)
        self._grant()

    def _grant(self) -> None:
        if self._consumed > WINDOW // 10 and not self._paused and not self._closed:
            message = self._message(_ADJUST)
            message.add_int(self._consumed)
            self._consumed = 0
            self.wire.post(message)

    def _may_send(self, count: int) -> None:
        """Room comes in many small grants: those that have come together are used together."""
        self._room += count
        if self._queue and not self._pump_due:
            self._pump_due = True
            asyncio.get_running_loop().call_soon(self._pump_later)

    def _pump_later(self) -> None:
        self._pump_due = False
        self._pump()

    def _exited(self, status: int | None, why: str) -> None:
        self._status, self._why = status, why

    def _was_closed(self) -> None:
        if self._closed:
            return
        self.close()
        self.listener.ended(self._status, self._why)

    def lost(self, why: str) -> None:
        """The connection is over."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionLost("connection-lost", why))
        if not self._closed:
            self._closed = True
            self._queue.clear()
            self.listener.ended(None, why)


def add_text(*values: Any) -> Callable[[Message], None]:
    """Fills a message with strings, ints and bools."""

    def fill(message: Message) -> None:
        for value in values:
            if isinstance(value, bool):
                message.add_boolean(value)
            elif isinstance(value, int):
                message.add_int(value)
            else:
                message.add_string(value)

    return fill
