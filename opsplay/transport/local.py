"""Local: the controller itself as a host; the same interpreter and frames, over pipes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from opsplay.transport.bootstrap import DISCOVERY, candidates
from opsplay.transport.here import connect_here
from opsplay.transport.kept import KeptTransport
from opsplay.transport.link import Link, Listener
from opsplay.transport.protocol import Address, Become, Unreachable
from opsplay.transport.tuning import Tuning

CHUNK = 256 * 1024


class LocalTransport(KeptTransport):
    """Processes on the controller; no connection to lose."""

    def __init__(self, address: Address, tuning: Tuning | None = None) -> None:
        super().__init__(address, tuning or Tuning())

    async def connect(self) -> None:
        return None

    async def open_link(self, command: str, listener: Listener, pty: bool = False) -> Link:
        return LocalLink(["/bin/sh", "-c", command], listener, pty, self.address.folder)

    def pythons(self, wanted: str) -> tuple[str, ...]:
        """Our own Python first; a user to become may not be allowed to run it."""
        return (sys.executable, *candidates(wanted)) if wanted in DISCOVERY else (wanted,)

    async def open_stream(self, target: tuple[str, int] | str, become: Become | None = None) -> Any:
        """See protocol.Transport."""
        if become is not None:
            return await super().open_stream(target, become)
        try:
            return await connect_here(target)
        except OSError as error:
            raise Unreachable("stream-refused", f"nothing listens at {target}: {error.strerror or error}") from None


class LocalLink:
    """A process of ours, its pipes read and written by the event loop."""

    def __init__(self, argv: list[str], listener: Listener, pty: bool, folder: str | None = None) -> None:
        self.listener = listener
        self._loop = asyncio.get_running_loop()
        self._queue: deque[memoryview] = deque()
        self._finishing = False
        self._closed = False
        self._open: set[int] = set()
        self._in = self._out = self._err = -1
        self._start(argv, pty, folder)

    def _start(self, argv: list[str], pty: bool, folder: str | None) -> None:
        if pty:
            self._in, slave = os.openpty()
            self._out, theirs = os.dup(self._in), [slave, slave, slave]
            argv = ["setsid", "-c", *argv]  # makes the terminal the controlling one, which sudo asks for
        else:
            (stdin, self._in), (self._out, stdout), (self._err, stderr) = os.pipe(), os.pipe(), os.pipe()
            theirs = [stdin, stdout, stderr]
        self._process = subprocess.Popen(
            argv, stdin=theirs[0], stdout=theirs[1], stderr=theirs[2], cwd=folder, start_new_session=not pty
        )
        for fd in set(theirs):
            os.close(fd)
        for fd in (self._in, self._out, self._err):
            if fd >= 0:
                os.set_blocking(fd, False)
        for fd, hear in ((self._out, self._output), (self._err, self._errors)):
            if fd >= 0:
                self._open.add(fd)
                self._loop.add_reader(fd, self._read, fd, hear)

    def _output(self, data: bytes) -> None:
        self.listener.output(data)

    def _errors(self, data: bytes) -> None:
        self.listener.errors(data)

    def _read(self, fd: int, hear: Callable[[bytes], None]) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: the other end of a terminal is gone
            data = b""
        if data:
            hear(data)
            return
        self._loop.remove_reader(fd)
        os.close(fd)
        self._open.discard(fd)
        if fd == self._out:
            self._reap(0.0)

    def _reap(self, waited: float) -> None:
        """Tells the end with the exit status; the process may take a moment longer than its output."""
        if self._closed:
            return
        status = self._process.poll()
        if status is None and waited < 5:
            pause = 0.002 if waited < 0.05 else 0.05
            self._loop.call_later(pause, self._reap, waited + pause)
            return
        self._closed = True
        self._release()
        self.listener.ended(status, "the process ended")

    def send(self, data: bytes) -> None:
        if self._closed or self._finishing or not data:
            return
        view = memoryview(data)
        if not self._queue:
            view = self._write(view)
        if view:
            if not self._queue:
                self._loop.add_writer(self._in, self._flush)
            self._queue.append(view)

    def _write(self, view: memoryview) -> memoryview:
        try:
            return view[os.write(self._in, view) :]
        except BlockingIOError:
            return view
        except OSError:  # it does not read any more; its end is told by its output
            return memoryview(b"")

    def _flush(self) -> None:
        while self._queue:
            rest = self._write(self._queue[0])
            if rest:
                self._queue[0] = rest
                return
            self._queue.popleft()
        self._loop.remove_writer(self._in)
        if self._finishing:
            self._close_input()

    def finish(self) -> None:
        self._finishing = True
        if not self._queue:
            self._close_input()

    def _close_input(self) -> None:
        if self._in >= 0:
            os.close(self._in)
            self._in = -1

    def signal(self, name: str) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, getattr(signal, f"SIG{name}"))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._release()
            self._loop.call_later(0.05, self._collect, 0.05)

    def _collect(self, waited: float) -> None:
        """Waits for the process, so that no zombie stays; the interpreter ends itself at the end of its input."""
        if self._process.poll() is None and waited < 30:
            self._loop.call_later(0.2, self._collect, waited + 0.2)

    def _release(self) -> None:
        if self._queue:
            self._loop.remove_writer(self._in)
            self._queue.clear()
        self._close_input()
        for fd in self._open:
            self._loop.remove_reader(fd)
            os.close(fd)
        self._open.clear()
