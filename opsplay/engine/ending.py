"""Ending: a run ended in good order by Ctrl-C, SIGTERM or a hang-up, whatever it is at."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

from opsplay.signals import ENDING, ask_to_end, forget_asked, handle, restore

PATIENCE = 2  # signals that nothing has heard yet, before one more breaks off whatever does not listen


class Ending:
    """Takes the signals for as long as a run lasts, its first and last events included. Use it in a `with`.

    The first one cancels the run's work, or keeps it from starting; `stop` is called then. One after the work's end changes
    nothing. Where nothing listens, as when the output's reader has stopped reading, the third raises KeyboardInterrupt.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: dict[signal.Signals, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Future[int] | None = None
        self._unheard = 0

    def __enter__(self) -> Ending:
        self._before = {number: signal.getsignal(number) for number in ENDING}
        forget_asked()
        handle(self._take)
        return self

    def __exit__(self, *_: object) -> None:
        restore(self._before)
        forget_asked()

    async def guard(self, work: Coroutine[Any, Any, int]) -> int:
        """What the work returns. Raises CancelledError where a signal ended it."""
        self._work = asyncio.ensure_future(work)
        self._loop = asyncio.get_running_loop()
        if self._unheard:
            self._cancel()
        return await self._work

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._unheard += 1
        ask_to_end(number)
        if self._unheard > PATIENCE:
            raise KeyboardInterrupt
        if self._loop is not None and self._work is not None and not self._work.done():
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        assert self._work is not None
        self._unheard = 0
        self._stop()
        self._work.cancel()
