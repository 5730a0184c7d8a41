"""FrameSession: one kept interpreter seen from the controller: steps in, replies out, each request with its futures."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.remote import frames
from opsplay.transport.code import BESIDE, MODULES, UnknownModule, core_names, module_files, source
from opsplay.transport.link import Link
from opsplay.transport.protocol import ConnectionLost, ProtocolError, Reply, Step, Unreachable
from opsplay.transport.tuning import Tuning

CANCEL_PATIENCE = 6.0  # SIGTERM, 2 s, SIGKILL, and the way back
ERRORS_KEPT = 4000
TOGETHER = 64 * 1024
LINES_LIMIT = 100_000  # of stdout_lines: each is an object, 16 MiB of empty lines would be a gigabyte


class FrameRequest:
    """Steps of one frame under way."""

    def __init__(self, session: FrameSession, number: int, steps: Sequence[Step]) -> None:
        loop = asyncio.get_running_loop()
        self.replies: Sequence[asyncio.Future[Reply]] = [loop.create_future() for _ in steps]
        self.number = number
        self.steps = steps
        self.next = 0
        self.heard = loop.time()
        self.over: asyncio.Future[None] = loop.create_future()  # the host answered all, or is lost
        self.guard: asyncio.TimerHandle | None = None
        self._session = session

    async def cancel(self) -> None:
        """Ends the work on the host, and returns when the host has said so or the link was given up."""
        await self._session.cancel(self)

    def settle(self, error: Exception) -> None:
        if self.guard is not None:
            self.guard.cancel()
        for reply in self.replies:
            if not reply.done():
                reply.set_exception(error)
                reply.exception()  # a request that nobody awaits any more is no unhandled error
        self.finish()

    def finish(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


class FrameSession:
    """Listens to the link of a started interpreter and talks frames with it."""

    def __init__(self, link: Link, tuning: Tuning, host: str, rest: bytes = b"") -> None:
        self.hello: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._link = link
        self._tuning = tuning
        self._host = host
        self._reader = frames.FrameReader()
        self._requests: dict[int, FrameRequest] = {}
        self._number = 0
        self._known = set(core_names())
        self._errors = bytearray()
        self._lost: Exception | None = None
        link.listener = self
        if rest:
            self.output(rest)

    @property
    def usable(self) -> bool:
        return self._lost is None

    # -- towards the host

    def submit(self, steps: Sequence[Step], stop_on_failure: bool = True) -> FrameRequest:
        """See protocol.Session. Raises OpsError for arguments that cannot travel."""
        self._number += 1
        request = FrameRequest(self, self._number, steps)
        if self._lost is not None:
            request.settle(self._lost)
            return request
        bodies = [step.body for step in steps if step.body is not None]
        start = self._start(request, stop_on_failure, sum(map(len, bodies)))  # may be refused: before the code counts as sent
        parts = [self._code_for(steps), start, *bodies]
        self._requests[request.number] = request
        self._arm(request)
        for part in _together(parts):
            self._link.send(part)
        return request

    def _start(self, request: FrameRequest, stop: bool, length: int) -> bytes:
        described = [self._describe(step) for step in request.steps]
        header = {"kind": "run", "id": request.number, "stop": stop, "steps": described}
        if any(step.beside for step in request.steps):
            header["beside"] = True
        try:
            return bytes(frames.start(header, length, default=_plain))
        except (TypeError, ValueError, frames.FrameError) as error:
            raise OpsError("argument-not-json", f"an argument cannot be sent to a host: {error}") from error

    def _describe(self, step: Step) -> dict[str, Any]:
        fields: dict[str, Any] = {"module": step.module, "args": step.args}
        for name in ("check", "diff", "environment", "deadline", "secret", "background", "group", "may_fail"):
            value = getattr(step, name)
            if value or (name == "group" and value is not None):
                fields[name] = value
        if step.body is not None:
            fields["body"] = len(step.body)
        if step.on_line is not None:
            fields["lines"] = True
            if step.lines_after:
                fields["lines_after"] = step.lines_after
        fields["output_limit"] = self._tuning.output_limit
        return fields

    def _code_for(self, steps: Sequence[Step]) -> bytes:
        """A frame with the sources that these steps need and the host has not got yet."""
        missing = {BESIDE} - self._known if any(step.beside for step in steps) else set()
        for step in steps:
            if MODULES + step.module in self._known:
                continue
            try:
                missing |= module_files(step.module) - self._known
            except UnknownModule as error:
                message = f'no module is called "{step.module}"'
                raise OpsError("unknown-module", message, fault=Fault.CONTENT) from error
        if not missing:
            return b""
        self._known |= missing
        return _code_frame(frozenset(missing))

    def teach(self, module: str, text: str) -> None:
        """Sends a module that is not part of opsplay: one of a playbook's library folder, or of a test."""
        name = MODULES + module
        self._known.add(name)
        self._link.send(frames.encode({"kind": "code", "files": {name: text}}))

    def _arm(self, request: FrameRequest) -> None:
        """A host that does not keep a step's deadline is given up shortly behind it."""
        deadlines = [step.deadline for step in request.steps if step.background is None]
        if not deadlines or any(deadline is None for deadline in deadlines) or len(self._requests) > 1:
            return
        seconds = sum(deadline or 0 for deadline in deadlines) + self._tuning.deadline_grace
        request.guard = asyncio.get_running_loop().call_later(seconds, self._overdue, request, seconds)

    def _overdue(self, request: FrameRequest, seconds: float) -> None:
        message = (
            f"{self._host} gave no answer within {seconds:g} seconds, {self._tuning.deadline_grace:g} past the deadline"
        )
        self._fail(ConnectionLost("timeout", message, "Look at the host: it is silent, but the connection is open."))

    async def cancel(self, request: FrameRequest) -> None:
        if request.over.done() or self._lost is not None:  # a reply may be cancelled here and still under way there
            return
        self._link.send(frames.encode({"kind": "cancel", "id": request.number}))
        _, late = await asyncio.wait([request.over], timeout=CANCEL_PATIENCE)
        if late:
            self._fail(ConnectionLost("cancel-unanswered", f"{self._host} did not confirm that the work ended"))

    async def close(self) -> None:
        """Lets the interpreter go: it ends, with all it runs, when its input closes."""
        self._fail(ConnectionLost("closed", f"the session with {self._host} was closed"))

    # -- from the host

    def output(self, data: bytes) -> None:
        if self._lost is not None:
            return
        try:
            for header, body in self._reader.feed(data):
                self._take(header, body)
        except Exception as error:  # whatever a hostile frame trips over
            self._fail(self._protocol_error(str(error) if isinstance(error, frames.FrameError) else repr(error)))

    def errors(self, data: bytes) -> None:
        self._errors += data
        del self._errors[:-ERRORS_KEPT]

    def ended(self, status: int | None, why: str) -> None:
        said = " ".join(self._errors.decode(errors="replace").split())[-300:]
        message = f"the connection to {self._host} ended while it was in use: {why}" + (f' ("{said}")' if said else "")
        self._fail(ConnectionLost("connection-lost", message, "What was under way may or may not have been done."))

    def _take(self, header: dict[str, Any], body: bytes) -> None:
        kind = header["kind"]
        if kind == "hello":
            self._greet(header)
        elif kind == "reply":
            self._answer(header, body)
        elif kind == "line":
            self._line(header)
        else:
            raise frames.FrameError(f"unknown frame {str(kind)[:40]!r}: {str(header.get('why'))[:200]}")

    def _greet(self, header: dict[str, Any]) -> None:
        if self.hello.done():
            raise frames.FrameError("a second hello")
        self.hello.set_result(header)

    def _answer(self, header: dict[str, Any], body: bytes) -> None:
        request = self._requests[header["id"]]
        if header["step"] != request.next:
            raise frames.FrameError(f"an answer to step {header['step']!r} where {request.next} is under way")
        result, ran = header["result"], header["ran"]
        if not isinstance(result, dict) or not isinstance(ran, bool):
            raise frames.FrameError("a reply without a result")
        _split_again(result, header.get("split") or ())
        request.next += 1
        reply = request.replies[header["step"]]
        took, now = header.get("took"), asyncio.get_running_loop().time()
        waited, request.heard = now - request.heard, now
        if request.next == len(request.replies):
            del self._requests[request.number]
            if request.guard is not None:
                request.guard.cancel()
            request.finish()
        if not reply.done():
            reply.set_result(Reply(result, body if header.get("body") else None, ran, _seconds(took), waited))

    def _line(self, header: dict[str, Any]) -> None:
        request, stream, text = self._requests[header["id"]], header["stream"], header["text"]
        if stream not in ("stdout", "stderr") or not isinstance(text, str):
            raise frames.FrameError("a line that is none")
        hear = request.steps[request.next].on_line
        if hear is None or header["step"] != request.next:
            raise frames.FrameError("a line that nobody asked for")
        asyncio.get_running_loop().call_soon(hear, stream, text)  # its errors are not the host's

    # -- the end

    def _protocol_error(self, why: str) -> ProtocolError:
        return ProtocolError(
            "protocol-error",
            f"{self._host} sent what no remote interpreter of opsplay sends: {why[:300]}",
            None,
            "Something on the host writes into the connection, or the host is not to be trusted.",
            fault=Fault.HOST,
        )

    def _fail(self, error: Exception) -> None:
        if self._lost is not None:
            return
        self._lost = error
        self._link.close()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            request.settle(error)
        if not self.hello.done():
            self.hello.set_exception(error)
            self.hello.exception()

    async def ready(self) -> Mapping[str, Any]:
        """The interpreter's hello. Raises Unreachable when it does not come."""
        try:
            async with asyncio.timeout(self._tuning.start_timeout):
                return await asyncio.shield(self.hello)
        except TimeoutError:
            message = (
                f"{self._host} started the interpreter, which said nothing in {self._tuning.start_timeout:g} seconds"
            )
            error = Unreachable("start-timeout", message)
            self._fail(error)
            raise error from None


@lru_cache(maxsize=256)
def _code_frame(names: frozenset[str]) -> bytes:
    """Made and compressed once for all hosts that lack the same."""
    text = json.dumps({name: source(name) for name in sorted(names)})
    return bytes(frames.encode({"kind": "code"}, zlib.compress(text.encode(), 4)))


def _together(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Small parts joined, so that they share a packet; large ones as they are, since others send the same bytes."""
    small: list[bytes] = []
    size = 0
    for part in parts:
        if size and size + len(part) > TOGETHER:
            yield b"".join(small)
            small, size = [], 0
        small.append(part)
        size += len(part)
    yield small[0] if len(small) == 1 else b"".join(small)


def _seconds(value: object) -> float:
    """What a host says of its own time; it may say anything."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e9 else 0.0


def _split_again(result: dict[str, Any], names: Sequence[str]) -> None:
    """stdout_lines and stderr_lines, which travel as stdout and stderr only; of very many, the first."""
    for name in names:
        lines = result[name].splitlines() if len(result[name]) < LINES_LIMIT else _first_lines(result[name])
        result[f"{name}_lines"] = lines


def _first_lines(text: str) -> list[str]:
    """At most LINES_LIMIT lines, found without making objects of all the others."""
    lines: list[str] = []
    at = 0
    while at < len(text) and len(lines) < LINES_LIMIT:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        lines.append(text[at:end])
        at = end + 1
    return lines


def _plain(value: object) -> Any:
    """What JSON lacks and YAML has."""
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"a value of type {type(value).__name__} is no JSON")
