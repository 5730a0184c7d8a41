"""Patience: a statement that waits for a lock gives up early, and comes back later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from opsplay.remote.spec import Argument, Integer, Number

PATIENCE: dict[str, Argument] = {
    "retries": Integer(default=5, text="How often to try again after a lock timeout."),
    "retry_delay": Number(default=0.5, text="Seconds before the first new try; doubled each time."),
}


class Busy(Exception):
    """Somebody stands in the way: `str` says who. Not even tried."""


async def patiently(attempt: Callable[[], Awaitable[None]], retries: int, delay: float) -> str | None:
    """Run it until it gets its lock. None when done, else why not (after the last try)."""
    import psycopg

    who = "another transaction held its lock"
    for turn in range(retries + 1):
        try:
            await attempt()
            return None
        except (psycopg.errors.LockNotAvailable, Busy) as problem:
            who = str(problem) if isinstance(problem, Busy) else who
            if turn < retries:
                await asyncio.sleep(delay * 2**turn * random.uniform(0.75, 1.25))
        except psycopg.errors.DeadlockDetected:
            await asyncio.sleep(delay)
    return f"{who}, through {retries + 1} tries"
