"""Launch: from a started process to its marker: noise dropped, passwords given, failures turned into verdicts."""

from __future__ import annotations

import asyncio
from typing import Any

from opsplay.lazy_dataclass import dataclass
from opsplay.transport import become as becoming
from opsplay.transport.become import Elevation
from opsplay.transport.bootstrap import NO_PYTHON_STATUS, bootstrap, login_command
from opsplay.transport.link import Link, Opener
from opsplay.transport.protocol import Become, Unreachable
from opsplay.transport.tuning import Tuning

NOISE_LIMIT = 1024 * 1024
QUESTION_PATIENCE = 1.5
UNKNOWN_QUESTION = "it asks something unknown"


@dataclass(slots=True)
class Started:
    """A process that printed its marker. `rest` is what came behind it."""

    link: Link
    rest: bytes


@dataclass(frozen=True, slots=True)
class Ended(Exception):
    """The process ended before its marker."""

    status: int | None
    why: str
    noise: str
    errors: str
    prompts: int


class Threshold:
    """Listens until the marker; answers the one prompt that it knows with the password, once."""

    def __init__(self, marker: bytes, elevation: Elevation | None, pty: bool) -> None:
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.link: Link | None = None
        self.prompts = 0
        self._marker = marker
        self._elevation = elevation
        self._pty = pty
        self._noise = bytearray()
        self._errors = bytearray()
        self._said_start = elevation is None
        self._patience: asyncio.TimerHandle | None = None
        self._late = bytearray()
        self._late_errors = bytearray()
        self._late_end: tuple[int | None, str] | None = None

    def output(self, data: bytes) -> None:
        if self.done.done():
            self._late += data
            return
        self._noise += data
        at = self._noise.find(self._marker)
        if at >= 0:
            if self._patience is not None:
                self._patience.cancel()
            self.done.set_result(bytes(self._noise[at + len(self._marker) :]))
            return
        if self._pty:
            self._listen_for_prompt(data)
        if len(self._noise) > NOISE_LIMIT:
            self._end(None, "it printed more than 1 MiB and no start mark")

    def errors(self, data: bytes) -> None:
        if self.done.done():
            self._late_errors += data
            return
        self._listen_for_prompt(data)

    def ended(self, status: int | None, why: str) -> None:
        if self.done.done():
            self._late_end = (status, why)
        self._end(status, why)

    def hand_over(self, link: Link, rest: bytes) -> Started:
        """What came between the marker and now goes to the next listener, who takes the link before the loop turns again."""

        def replay() -> None:
            if self._late_errors:
                link.listener.errors(bytes(self._late_errors))
            if self._late_end is not None:
                link.listener.ended(*self._late_end)

        asyncio.get_running_loop().call_soon(replay)
        return Started(link, rest + bytes(self._late))

    def _end(self, status: int | None, why: str) -> None:
        if not self.done.done():
            if self._patience is not None:
                self._patience.cancel()
            noise = self._noise.decode(errors="replace")[-2000:]
            errors = self._errors.decode(errors="replace")[-2000:]
            self.done.set_exception(Ended(status, why, noise, errors, self.prompts))

    def _listen_for_prompt(self, data: bytes) -> None:
        """Password prompts count only behind our own start mark; what came before it is the login shell's noise.

        An unfinished line with silence behind it is a question that we do not know, and never answer.
        """
        if self._patience is not None:
            self._patience.cancel()
        self._errors += data
        del self._errors[:-NOISE_LIMIT]
        elevation = self._elevation
        if elevation is None:
            return
        if not self._said_start:
            at = self._errors.find(elevation.start)
            if at < 0:
                return
            self._said_start = True
            del self._errors[: at + len(elevation.start)]
        if elevation.prompt and self._errors.endswith(elevation.prompt):
            self._answer(elevation)
        elif self._errors.strip() and not self._errors.endswith(b"\n"):
            self._patience = asyncio.get_running_loop().call_later(QUESTION_PATIENCE, self._end, None, UNKNOWN_QUESTION)

    def _answer(self, elevation: Elevation) -> None:
        self.prompts += 1
        self._errors.clear()
        if self.prompts > 1:
            self._end(None, "the password was refused")
        elif self.link is not None:
            self.link.send(elevation.password)


async def start_script(
    open_link: Opener, script: str, marker: bytes, become: Become | None, tuning: Tuning, early: bytes = b""
) -> Started:
    """Runs the script, as `become` where given, up to its marker. `early` is sent at once where nobody asks first."""
    try:
        return await _attempt(
            open_link, script, marker, become, tuning, early, pty=become is not None and _wants_pty(become)
        )
    except Ended as end:
        if become is None:
            raise
        if end.status is not None and end.prompts == 0 and becoming.needs_terminal(end.errors + end.noise):
            return await _attempt(open_link, script, marker, become, tuning, early, pty=True)
        raise


def _wants_pty(become: Become) -> bool:
    """doas reads passwords from a terminal only."""
    return become.method == "doas" and become.password is not None


async def _attempt(
    open_link: Opener, script: str, marker: bytes, become: Become | None, tuning: Tuning, early: bytes, pty: bool
) -> Started:
    elevation = becoming.elevate(become, script, pty) if become else None
    threshold = Threshold(marker, elevation, pty)
    command = login_command(elevation.command if elevation else script)
    link = await open_link(command, threshold, pty)
    threshold.link = link
    try:
        if elevation is None:
            link.send(early)
        async with asyncio.timeout(tuning.become_timeout if become else tuning.start_timeout):
            rest = await threshold.done  # not wait_for, which in Python 3.11 may swallow a cancel
        if elevation is not None:
            link.send(early)
        return threshold.hand_over(link, rest)
    except BaseException:
        link.close()
        raise


async def launch(
    open_link: Opener, pythons: tuple[str, ...], become: Become | None, tuning: Tuning, options: dict[str, Any]
) -> Started:
    """A kept interpreter on the host, at its first frame. Raises Unreachable or BecomeFailed."""
    for thorough in (False, True):
        start = bootstrap(pythons, options, thorough)
        try:
            return await start_script(open_link, start.script, start.marker, become, tuning, start.payload)
        except Ended as end:
            if become is not None and _refused(end):
                raise become_verdict(become, end) from None
            if thorough or end.status is None:
                raise _no_interpreter(pythons, end) from None
        except TimeoutError:
            raise _late(become, tuning) from None
    raise AssertionError("unreachable")


def become_verdict(become: Become, end: Ended) -> Exception:
    """What it means that the become program ended, or asked, before what it should start began."""
    return becoming.verdict(
        become, end.errors or end.noise, end.prompts > 1, asks_unknown=end.why == UNKNOWN_QUESTION, status=end.status
    )


def _refused(end: Ended) -> bool:
    """True when the become program itself ended it: the shell behind it has its own statuses."""
    return (
        end.prompts > 1
        or end.why == UNKNOWN_QUESTION
        or end.status not in (96, NO_PYTHON_STATUS, 126, 127)
        or "command not found" in end.errors
    )


def _late(become: Become | None, tuning: Tuning) -> Exception:
    if become is not None:
        return becoming.timed_out(become, tuning.become_timeout)
    return Unreachable(
        "start-timeout",
        f"the host took the login but started no Python within {tuning.start_timeout:g} seconds",
        "Log in by hand and look what its login shell (rc files) waits for.",
    )


def _no_interpreter(pythons: tuple[str, ...], end: Ended) -> Unreachable:
    said = " ".join((end.errors or end.noise).split())[-300:]
    if end.status is None:
        return Unreachable("start-failed", f"the host's side ended before it started: {end.why or said}", "Try again.")
    if end.status == NO_PYTHON_STATUS:
        named = f"The module interpreter '{pythons[0]}' was not found."
        return Unreachable(
            "no-python",
            named if len(pythons) == 1 else "no Python 3.6 or newer was found on the host",
            "Install python3 there (raw: apt-get install -y python3), or name it: ansible_python_interpreter=/path/to/python3",
        )
    return Unreachable(
        "start-failed",
        f"the remote interpreter did not start (status {end.status})" + (f': "{said}"' if said else ""),
        "Log in by hand and run: python3 -I -S -c 'print(1)'",
    )
