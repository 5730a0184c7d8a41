"""Relay: bytes between a local socket and a socket on the host, opened there by a process of the become user.

sshd's own socket forwarding connects as the login user. PostgreSQL's peer authentication looks at who connects, so for
another user a few lines of Python run on the host as that user and pass bytes between their stdin/stdout and the socket.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from opsplay.lazy_dataclass import dataclass
from opsplay.transport.launch import Ended, become_verdict, start_script
from opsplay.transport.link import Link, Opener
from opsplay.transport.protocol import Become, ConnectionLost, Unreachable
from opsplay.transport.tuning import Tuning

RELAY = """
import os,select,socket,sys
t=sys.argv[1:]
try:
 if len(t)==1:
  s=socket.socket(socket.AF_UNIX);s.connect(t[0])
 else:
  s=socket.create_connection((t[0],int(t[1])),10);s.settimeout(None)
except OSError as e:
 os.write(1,("no:%s"%e).encode().replace(b"\\n",b" ")+b"\\n");sys.exit(0)
os.write(1,b"ok\\n")
def w(f,b):
 while b:b=b[f(b):]
while 1:
 r=select.select([0,s],[],[])[0]
 if s in r:
  d=s.recv(65536)
  if not d:break
  w(lambda b:os.write(1,b),d)
 if 0 in r:
  d=os.read(0,65536)
  if not d:break
  s.sendall(d)
"""
PYTHONS = "python3 /usr/bin/python3 /usr/libexec/platform-python /usr/local/bin/python3 python"
Target = tuple[str, int] | str


async def open_relay(open_link: Opener, target: Target, become: Become | None, tuning: Tuning) -> socket.socket:
    """A connected local socket whose other end is the target, opened on the host as `become`."""
    left, right = secrets.token_hex(8), secrets.token_hex(8)
    try:
        started = await start_script(open_link, _script(target, left, right), (left + right).encode(), become, tuning)
    except Ended as end:
        if become is not None:
            raise become_verdict(become, end) from None
        raise Unreachable("stream-failed", f"no stream could be opened: {end.errors or end.why}") from None
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    pump = _Pump(started.link, theirs, started.rest)
    try:
        async with asyncio.timeout(tuning.start_timeout):
            await pump.answer
    except BaseException:
        ours.close()
        pump.end()
        raise
    pump.follow()
    return ours


def _script(target: Target, left: str, right: str) -> str:
    words = [target] if isinstance(target, str) else [target[0], str(target[1])]
    arguments = " ".join(shlex.quote(word) for word in words)
    return (
        f'for p in {PYTHONS}; do command -v "$p" >/dev/null 2>&1 && break; done; '
        f'printf "%s%s" {left} {right}; exec "$p" -I -S -c {shlex.quote(RELAY.strip())} {arguments}'
    )


class _Pump:
    """Listens to the link; `answer` is the relay's first line."""

    def __init__(self, link: Link, local: socket.socket, early: bytes) -> None:
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._link = link
        self._local = local
        self._head: bytearray | None = bytearray()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        link.listener = self
        self.output(early)

    def output(self, data: bytes) -> None:
        if self._head is None:
            self._queue.put_nowait(data)
            return
        self._head += data
        line, newline, rest = bytes(self._head).partition(b"\n")
        if newline and not self.answer.done():
            self._head = None
            self._judge(line.strip())
            if rest:
                self._queue.put_nowait(rest)

    def _judge(self, line: bytes) -> None:
        if line == b"ok":
            self.answer.set_result(None)
        else:
            reason = line.decode(errors="replace").removeprefix("no:")
            self.answer.set_exception(Unreachable("stream-refused", reason, "Is the server running there?"))

    def errors(self, data: bytes) -> None:
        """What the relay's Python complains about has no reader; its end is told by `ended`."""

    def ended(self, status: int | None, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(ConnectionLost("stream-failed", f"the relay ended: {why} (status {status})"))
        self._queue.put_nowait(b"")

    def follow(self) -> None:
        self._tasks = [asyncio.ensure_future(self._inward()), asyncio.ensure_future(self._outward())]

    async def _outward(self) -> None:
        """Local socket -> host."""
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._local, 65536):
                self._link.send(data)
        except OSError:
            pass
        self.end()

    async def _inward(self) -> None:
        """Host -> local socket."""
        loop = asyncio.get_running_loop()
        try:
            while data := await self._queue.get():
                await loop.sock_sendall(self._local, data)
        except OSError:
            pass
        self.end()

    def end(self) -> None:
        self._link.close()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._local.close()


class Streams(Protocol):
    """What a door needs of a transport."""

    async def open_stream(self, target: Target, become: Become | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Door:
    """A listening unix socket in a folder that only we may enter; `number` is what libpq calls the port."""

    folder: str
    number: int

    @property
    def path(self) -> str:
        return os.path.join(self.folder, f".s.PGSQL.{self.number}")


@asynccontextmanager
async def open_door(transport: Streams, target: Target, become: Become | None = None) -> AsyncIterator[Door]:
    """For programs that dial for themselves (libpq): each connection to the door becomes a stream to the target."""
    folder = tempfile.mkdtemp(prefix="opsplay-door-")  # 0700
    door = Door(folder, 5432)
    failure: list[BaseException] = []
    passing: set[asyncio.Task[None]] = set()

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await transport.open_stream(target, become)
        except Exception as problem:  # told to whoever opened the door
            failure.append(problem)
            writer.close()
            return
        far.setblocking(False)
        far_reader, far_writer = await asyncio.open_connection(sock=far)
        passing.update(
            {asyncio.ensure_future(_pass(reader, far_writer)), asyncio.ensure_future(_pass(far_reader, writer))}
        )

    server = await asyncio.start_unix_server(enter, door.path)
    try:
        yield door
    except Exception as problem:
        if failure:
            raise _as_unreachable(failure[-1], target) from problem
        raise
    finally:
        server.close()
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        shutil.rmtree(folder, ignore_errors=True)


def _as_unreachable(problem: BaseException, target: Target) -> BaseException:
    if not isinstance(problem, OSError):
        return problem
    return Unreachable("stream-refused", f"{target}: {problem.strerror or problem}", "Is the server running there?")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
