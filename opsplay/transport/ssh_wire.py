"""SshWire: paramiko's transport on a socket of our own, joined to the event loop.

paramiko's thread reads and decrypts; what it finds is told to the loop, several findings in one wake-up. The loop
sends small messages itself where the socket takes them at once, and leaves all others to a thread, so that a slow
host never holds the loop. Private parts of paramiko that this rests on: _channels, _next_channel,
_channel_handler_table, _send_message, _send_user_message, clear_to_send(_lock); tests/transport cover each.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko.common import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_SUCCESS,
    MSG_CHANNEL_WINDOW_ADJUST,
)

from opsplay.transport.ssh_packets import AT_ONCE, BATCH, BufferedSocket, Data, SealingPacketizer, Several

CIPHERS = (
    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
)  # fmt: skip
REST = object()  # stands in the outbox for what the packetizer has sealed already
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")


CURVE25519 = "curve25519-sha256"


def _call(name: str) -> Callable[[Any, Any], None]:
    return lambda channel, message: getattr(channel, name)(message)


class SshWire(paramiko.Transport):  # type: ignore[misc]
    """One SSH connection. Until `attach`, used by the thread that logs in; then by the event loop."""

    _channel_handler_table = {
        MSG_CHANNEL_SUCCESS: _call("_request_success"),
        MSG_CHANNEL_FAILURE: _call("_request_failed"),
        MSG_CHANNEL_DATA: _call("_feed"),
        MSG_CHANNEL_EXTENDED_DATA: _call("_feed_extended"),
        MSG_CHANNEL_WINDOW_ADJUST: _call("_window_adjust"),
        MSG_CHANNEL_REQUEST: _call("_handle_request"),
        MSG_CHANNEL_EOF: _call("_handle_eof"),
        MSG_CHANNEL_CLOSE: _call("_handle_close"),
    }

    # The name that RFC 8731 gave to what paramiko knows by its older name only; servers may offer just this one.
    _kex_info = {**paramiko.Transport._kex_info, CURVE25519: paramiko.Transport._kex_info[f"{CURVE25519}@libssh.org"]}
    _preferred_kex = (CURVE25519, *paramiko.Transport._preferred_kex)

    def __init__(self, sock: Any) -> None:
        self.wire = BufferedSocket(sock)
        super().__init__(self.wire, packetizer_class=SealingPacketizer)
        options = self.get_security_options()
        options.ciphers = [cipher for cipher in CIPHERS if cipher in self._cipher_info]
        options.digests = [mac for mac in MACS if mac in self._mac_info]
        self._handler_table[MSG_CHANNEL_OPEN_FAILURE] = self._open_failed
        self._mail: deque[tuple[Any, ...]] = deque()
        self._mail_due = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_down: Callable[[], None] | None = None
        self._outbox: deque[Any] = deque()
        self._outbox_lock = threading.Lock()
        self._writer_runs = False
        self.backlog = 0
        self.when_drained: list[Callable[[], None]] = []
        self.streams: dict[int, Any] = {}

    def attach(self, loop: asyncio.AbstractEventLoop, on_down: Callable[[], None]) -> None:
        """From now on the loop uses it. `on_down` is called on the loop when the connection is over."""
        self._loop, self._on_down = loop, on_down
        self.wire.be_patient()
        if not self.is_alive():
            self._tell_down()

    # -- in paramiko's thread

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._tell_down()

    def _tell_down(self) -> None:
        if self._on_down is not None:
            self.tell(self._on_down)

    def tell(self, *call: Any) -> None:
        """Calls on the event loop; those that come in quick succession share one wake-up."""
        self._mail.append(call)
        if self._loop is not None and not self._mail_due:
            self._mail_due = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._mail_due = False
        for _ in range(len(self._mail)):
            call, *arguments = self._mail.popleft()
            call(*arguments)
        if self._mail and not self._mail_due and self._loop is not None:  # other hosts have their turn first
            self._mail_due = True
            self._loop.call_soon(self._deliver)

    def _open_failed(self, message: Any) -> None:
        """Our own streams hear the refusal; paramiko's channels are served by paramiko."""
        position = message.packet.tell()
        stream = self.streams.get(message.get_int())
        if stream is not None:
            message.get_int()
            self.tell(stream.refused, message.get_text())
            return
        message.packet.seek(position)
        self._parse_channel_open_failure(message)

    # -- on the event loop

    def new_number(self, stream: Any) -> int:
        """A channel number for a stream of ours."""
        with self.lock:
            number = int(self._next_channel())
            self._channels.put(number, stream)
            self.channels_seen[number] = True
        self.streams[number] = stream
        return number

    def drop_stream(self, number: int) -> None:
        self.streams.pop(number, None)
        self._channels.delete(number)

    def post(self, message: paramiko.Message) -> None:
        """Sends the message, or queues it for the writing thread; never blocks."""
        self._post([message])

    def post_data(self, channel: int, views: list[memoryview]) -> None:
        """The same for bytes of a channel, which are copied only when they go out."""
        self._post([Data(channel, view) for view in views])

    def _post(self, messages: list[Any]) -> None:
        with self._outbox_lock:
            free = not self._writer_runs and not self._outbox
        left = self._send_now(messages) if free else messages
        if left:
            with self._outbox_lock:
                self._queue(left)

    def _queue(self, messages: list[Any]) -> None:
        for message in messages:
            size = 1 if message is REST else len(message) if isinstance(message, Data) else len(message.asbytes())
            self._outbox.append((message, size))
            self.backlog += size
        if not self._writer_runs:
            self._writer_runs = True
            start_new_thread(self._write_outbox, ())  # threading would wait here until the thread has its turn

    def _send_now(self, messages: list[Any]) -> list[Any]:
        """Gives back what could not go out without waiting."""
        if not self.clear_to_send.is_set() or not self.clear_to_send_lock.acquire(blocking=False):
            return messages
        try:
            return self._batches(messages) if self.clear_to_send.is_set() else messages
        except (OSError, EOFError, paramiko.SSHException):
            return []  # the reading thread sees the same end and tells it
        finally:
            self.clear_to_send_lock.release()

    def _batches(self, messages: list[Any]) -> list[Any]:
        for start in range(0, len(messages), BATCH):
            batch = messages[start : start + BATCH]
            sent = self.packetizer.send_at_once(batch)
            if sent is None:
                return self._one_at_once(messages[start:])
            if not sent:
                return [REST, *messages[start + len(batch) :]]
        return []

    def _one_at_once(self, messages: list[Any]) -> list[Any]:
        """Ciphers that paramiko applies itself: a small message, where the socket surely takes it."""
        if len(messages) > 1 or len(messages[0].asbytes()) > AT_ONCE or not self.wire.writable():
            return messages
        self._send_message(messages[0])
        return []

    def _write_outbox(self) -> None:
        """The writing thread: lives while there is something to write."""
        while True:
            with self._outbox_lock:
                if not self._outbox or not self.active:
                    self._outbox.clear()
                    self.backlog = 0
                    self._writer_runs = False
                    break
                taken = [self._outbox.popleft() for _ in range(min(BATCH, len(self._outbox)))]
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                self._send_user_message(Several([message for message, _ in taken if message is not REST]))
            with self._outbox_lock:
                self.backlog -= sum(size for _, size in taken)
        self.tell(self._drained)

    def _drained(self) -> None:
        waiting, self.when_drained = self.when_drained, []
        for call in waiting:
            call()

    def beat(self) -> None:
        """Asks the host for a sign of life; any answer counts."""
        message = paramiko.Message()
        message.add_byte(bytes([80]))  # SSH_MSG_GLOBAL_REQUEST
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)
        self.post(message)

    def let_go(self) -> None:
        """Ends the connection at once; does not wait for the thread."""
        self.active = False
        self.packetizer.close()
        self.wire.close()
