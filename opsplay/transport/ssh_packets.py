"""Packets: paramiko's packetizer on a buffered socket; what goes out under AES-GCM is sealed in place, many at a time.

paramiko copies a message about ten times on its way out. Here the bytes to send are copied once, into the buffer that is
sealed and given to the socket, and up to BATCH of them go out in one system call. Private parts of paramiko that this
rests on: set_outbound_cipher and its arguments, write_all, REKEY_BYTES, _trigger_rekey, __sequence_number_out.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import paramiko

AT_ONCE = 16 * 1024  # a writable socket takes this much without waiting
READ_SIZE = 256 * 1024
BATCH = 8  # packets that go out in one call
TAG, BLOCK, HEAD = 16, 16, 5
_HEAD, _DATA = struct.Struct(">IB"), struct.Struct(">BII")
CHANNEL_DATA = 94


class BufferedSocket:
    """What paramiko reads from: one system call for many of its small reads; wakes seldom while nothing comes."""

    def __init__(self, sock: Any, patience: float = 0.1) -> None:
        self.sock = sock
        self.heard = time.monotonic()
        self._rest = b""
        self._closed = False
        sock.settimeout(patience)

    def recv(self, size: int) -> bytes:
        if not self._rest:
            self._rest = self.sock.recv(READ_SIZE)
            self.heard = time.monotonic()
        if size >= len(self._rest):
            data, self._rest = self._rest, b""
        else:
            data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def send(self, data: Any) -> int:
        if isinstance(self.sock, socket.socket):
            return int(self.sock.send(data))
        return int(self.sock.send(bytes(data)))  # a channel through a jump host

    def send_some(self, data: memoryview) -> int:
        """What the socket takes without waiting."""
        if not isinstance(self.sock, socket.socket):
            return 0
        try:
            return os.write(self.sock.fileno(), data)  # it is not blocking; its own send would wait for its timeout
        except BlockingIOError:
            return 0

    def settimeout(self, seconds: float | None) -> None:
        """paramiko wants to wake ten times a second; closing wakes it here, so it need not."""

    def be_patient(self) -> None:
        self.sock.settimeout(2.0)

    def writable(self) -> bool:
        """True when the socket takes AT_ONCE bytes without waiting."""
        try:
            if not isinstance(self.sock, socket.socket):
                return bool(self.sock.send_ready())  # a channel through a jump host
            poll = select.poll()
            poll.register(self.sock, select.POLLOUT)
            return any(event & select.POLLOUT for _, event in poll.poll(0))
        except (OSError, ValueError, AttributeError):
            return False

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            if isinstance(self.sock, socket.socket):
                self.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
        with contextlib.suppress(OSError):
            self.sock.close()


class Data:
    """Bytes for a channel; a message to paramiko, and to SealingPacketizer parts that it need not join first."""

    __slots__ = ("head", "view")

    def __init__(self, channel: int, view: memoryview) -> None:
        self.head = _DATA.pack(CHANNEL_DATA, channel, len(view))
        self.view = view

    def asbytes(self) -> bytes:
        return self.head + self.view

    @property
    def parts(self) -> tuple[bytes, memoryview]:
        return self.head, self.view

    def __len__(self) -> int:
        return len(self.head) + len(self.view)


class Several:
    """Messages that go out together."""

    def __init__(self, messages: Sequence[Any]) -> None:
        self.messages = messages


class SealingPacketizer(paramiko.Packetizer):  # type: ignore[misc]
    """Also without paramiko's timer thread for each handshake: whoever logs in closes the socket when time is over."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self._engine: Any = None
        self._fixed, self._count = b"", 0
        self._squeeze: Any = None
        self._sent = [0, 0]
        self._socket = sock
        self._unsent: memoryview | None = None  # sealed, and first to go out
        self._sending = threading.RLock()

    def start_handshake(self, timeout: float) -> None:
        return None

    def set_outbound_cipher(self, block_engine: Any, *rest: Any, **named: Any) -> None:
        super().set_outbound_cipher(block_engine, *rest, **named)
        self._engine, self._sent = None, [0, 0]
        if named.get("aead") and hasattr(block_engine, "encrypt_into"):
            self._engine = block_engine
            self._fixed, self._count = named["iv_out"][:4], int.from_bytes(named["iv_out"][4:], "big")

    def set_outbound_compressor(self, compressor: Any) -> None:
        super().set_outbound_compressor(compressor)
        self._squeeze = compressor

    def send_message(self, data: Any) -> None:
        """A message, or Several."""
        messages = data.messages if isinstance(data, Several) else (data,)
        with self._sending:
            self._flush()
            if self._engine is None:
                for message in messages:
                    super().send_message(message)
                return
            for start in range(0, len(messages), BATCH):
                self.write_all(self._sealed([self._parts(message) for message in messages[start : start + BATCH]]))

    def send_at_once(self, messages: Sequence[Any]) -> bool | None:
        """Without waiting: True when all is out, False when send_message has to see to the rest, None when not taken."""
        if self._engine is None or not self._sending.acquire(blocking=False):
            return None
        try:
            if self._unsent is not None:
                return None
            out = self._sealed([self._parts(message) for message in messages])
            sent = self._socket.send_some(out)
            if sent == len(out):
                return True
            self._unsent = out[sent:]
            return False
        finally:
            self._sending.release()

    def _flush(self) -> None:
        if self._unsent is not None:
            rest, self._unsent = self._unsent, None
            self.write_all(rest)

    def _parts(self, message: Any) -> Sequence[Any]:
        if self._squeeze is not None:
            return (self._squeeze(message.asbytes()),)
        return message.parts if isinstance(message, Data) else (message.asbytes(),)

    def _sealed(self, messages: list[Sequence[Any]]) -> memoryview:
        lengths = [sum(map(len, parts)) for parts in messages]
        out = memoryview(bytearray(sum(lengths) + len(messages) * (HEAD + BLOCK + 4 + TAG)))
        end = 0
        for parts, length in zip(messages, lengths, strict=True):
            end = self._seal(out, end, parts, length)
        self._count_sent(end, len(messages))
        return out[:end]

    def _seal(self, out: memoryview, start: int, parts: Iterable[Any], length: int) -> int:
        """Puts one packet at `start`; the position behind it. The length in front is not encrypted, but authenticated."""
        padding = 3 + BLOCK - ((length + 4) % BLOCK)
        text = bytearray(1 + length + padding)
        text[0] = padding
        at = 1
        for part in parts:
            text[at : at + len(part)] = part
            at += len(part)
        text[at:] = os.urandom(padding)
        head = len(text).to_bytes(4, "big")
        out[start : start + 4] = head
        end = start + 4 + len(text) + TAG
        nonce = self._fixed + self._count.to_bytes(8, "big")
        self._count = (self._count + 1) & 0xFFFFFFFFFFFFFFFF
        self._engine.encrypt_into(nonce, text, head, out[start + 4 : end])
        return end

    def _count_sent(self, size: int, packets: int) -> None:
        """Asks for new keys after as much as paramiko does; AES-GCM itself has no use for the sequence number."""
        number = "_Packetizer__sequence_number_out"
        setattr(self, number, (getattr(self, number) + packets) & 0xFFFFFFFF)
        self._sent[0] += size
        self._sent[1] += packets
        if (self._sent[0] >= self.REKEY_BYTES or self._sent[1] >= self.REKEY_PACKETS) and not self.need_rekey():
            self._trigger_rekey()
