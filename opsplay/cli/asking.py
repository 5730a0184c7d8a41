"""What is asked of the operator at the terminal, while progress is shown and hosts are served."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from typing import Any

from opsplay.errors import Fault, OpsError

INTERRUPT = "\x03"
HINT = "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)"
CHOICE = "Press 'C' to continue the play or 'A' to abort "


def ask_operator(prompt: str, echo: bool, seconds: float | None, pausing: bool = False) -> str | None:
    """A line from the terminal; None where there is none or time is up.

    `pausing`: Ctrl+C asks whether to go on or to abort; with `seconds`, only that ends it early. Raises OpsError.
    """
    if not sys.stdin or sys.stdin.closed or not sys.stdin.isatty():
        return None
    terminal = sys.stdin.fileno()
    with settings_of(terminal, echo, pausing):
        if pausing and seconds is not None:
            say(f"Pausing for {seconds:.0f} seconds\n{HINT}\n")
        say(prompt)
        line = pause(terminal, seconds) if pausing else read_line(terminal, seconds)
    if not echo:
        say("\n")
    return line


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def read_line(terminal: int, seconds: float | None) -> str | None:
    """Read without Python's buffer: a thread that waits in it would break the exit of the program."""
    ready, _, _ = select.select([terminal], [], [], seconds)
    line = os.read(terminal, 65536) if ready else b""  # a terminal gives a line at a time
    return line.decode(errors="surrogateescape").rstrip("\n") if line else None


def pause(terminal: int, seconds: float | None) -> str | None:
    """The line that was typed, empty where the operator goes on early; None where time is up. Raises OpsError for an abort."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        line = read_line(terminal, None if end is None else max(0.0, end - time.monotonic()))
        if line is not None and line.endswith(INTERRUPT):
            return "" if goes_on(terminal) else aborted()
        if end is None or line is None:
            return line


def goes_on(terminal: int) -> bool:
    """Whether C was pressed rather than A."""
    say(f"\n{CHOICE}")
    with one_key(terminal):
        while True:
            key = os.read(terminal, 1).lower()
            if key in (b"c", b"a", INTERRUPT.encode(), b""):
                say("\n")
                return key == b"c"


def aborted() -> str:
    raise OpsError("aborted", "user requested abort!", remedy="Run it again to go on.", fault=Fault.USAGE)


def settings_of(terminal: int, echo: bool, pausing: bool) -> contextlib.AbstractContextManager[None]:
    """Echo is off for what is secret; in a pause Ctrl+C ends a line in place of the program, and lines can be edited."""
    import termios

    def change(modes: list[Any]) -> None:
        if not echo:
            modes[3] &= ~termios.ECHO
        if pausing:
            modes[6][termios.VINTR] = b"\0"  # none
            modes[6][termios.VEOL] = INTERRUPT.encode()

    return changed(terminal, change) if pausing or not echo else contextlib.nullcontext()


def one_key(terminal: int) -> contextlib.AbstractContextManager[None]:
    import termios

    def change(modes: list[Any]) -> None:
        modes[3] &= ~termios.ICANON
        modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0

    return changed(terminal, change)


@contextlib.contextmanager
def changed(terminal: int, change: Any) -> Iterator[None]:
    """Other modes of the terminal; the old ones are back also when the program ends while it waits."""
    import termios

    before = termios.tcgetattr(terminal)
    modes = [*before[:6], list(before[6])]
    change(modes)

    def restore() -> None:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    atexit.register(restore)
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, modes)
        yield
    finally:
        restore()
        atexit.unregister(restore)
