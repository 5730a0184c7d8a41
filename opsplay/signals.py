"""Signals: what Ctrl-C, SIGTERM and a hang-up do to a command, from its first import to its exit code.

A KeyboardInterrupt that hits a destructor or a class being built is swallowed or becomes another error. So a signal ends a
command at once while it is loaded; later what was swallowed is found by `require_none_came`; and a run (engine/ending.py)
takes them by a handler that never raises. A signal that was ignored at the start, by nohup or a shell, stays ignored.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], object]

_came: list[int] = []
_asked: list[int] = []  # signals that a run has taken, to end in good order


def handle(handler: Handler | signal.Handlers) -> None:
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, handler)


def end_at_once(code: int) -> None:
    """While a command is being loaded there is nothing to put in order."""
    handle(lambda number, frame: os._exit(code))


def raise_interrupt() -> None:
    """From now on a signal raises KeyboardInterrupt, so that what a command began is put in order."""
    handle(_raise)
    sys.unraisablehook = _report_unraisable


def _report_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):  # that one is kept in mind
        sys.__unraisablehook__(unraisable)


def _raise(number: int, frame: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt


def came() -> bool:
    return bool(_came)


def require_none_came() -> None:
    """Raises the KeyboardInterrupt that something swallowed."""
    if _came:
        raise KeyboardInterrupt


def ask_to_end(number: int) -> None:
    """By a handler that must not raise: what blocks the run is to look at `asked_to_end`."""
    _asked.append(number)


def forget_asked() -> None:
    _asked.clear()


def asked_to_end() -> bool:
    return bool(_asked)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While an operator is asked: a signal raises KeyboardInterrupt, whatever took it before."""
    before = {number: signal.getsignal(number) for number in ENDING}
    handle(_raise)
    try:
        yield
    finally:
        restore(before)


def restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(number, handler)


def hold_off() -> None:
    """What is left to do must not be interrupted; programs that are started from here can be."""
    handle(lambda number, frame: None)


def ignore() -> None:
    """The last step: also while Python is shut down, which gives handlers back."""
    handle(signal.SIG_IGN)
