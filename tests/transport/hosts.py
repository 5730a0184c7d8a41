"""Hosts for the transport tests: what each transport needs to be talked to, and small modules to talk with."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from opsplay.transport.direct import typed
from opsplay.transport.protocol import Step

T = TypeVar("T")

SLEEP = """
import time
def act(system, args):
    time.sleep(args.seconds)
    return {"slept": args.seconds}
"""
SAY = """
import os, sys
def act(system, args):
    print("noise on stdout", flush=True)
    os.write(1, b"raw noise")
    os.system("echo noise of a child")
    return {"read": sys.stdin.read(10)}
"""
RAISE = """
def act(system, args):
    raise {"exit": SystemExit, "value": ValueError, "memory": MemoryError, "interrupt": KeyboardInterrupt}[args.what]("on purpose")
"""
ECHO = """
def act(system, args):
    return dict(args, _body=system.body)
"""
SPAWN = """
def act(system, args):
    run = system.run(args.argv, timeout=args.get("timeout"))
    return {"rc": run.rc, "stdout": run.stdout, "stderr": run.stderr, "stdout_truncated": run.stdout_truncated,
            "timed_out": run.timed_out}
"""
HEAD = "from opsplay.remote.spec import Spec\nSPEC = Spec(open_ended=True)\n"
MODULES = {"t_sleep": SLEEP, "t_say": SAY, "t_raise": RAISE, "t_echo": ECHO, "t_spawn": SPAWN}
TAUGHT = {name: HEAD + text for name, text in MODULES.items()}


def finish(work: Callable[[], Awaitable[T]], seconds: float = 30) -> T:
    """Runs an async test, never for longer than it may take."""

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work()

    return asyncio.run(bounded())


@asynccontextmanager
async def opened(transport: Any) -> AsyncIterator[Any]:
    """A session that knows the small modules; its transport is closed afterwards."""
    try:
        session = await transport.session()
        for name, text in TAUGHT.items():
            session.teach(name, text)
        yield session
    finally:
        await transport.close()


async def ask(session: Any, module: str, /, step: dict[str, Any] | None = None, **args: Any) -> dict[str, Any]:
    """One step's result."""
    return (await session.submit([Step(module, args, **(step or {}))]).replies[0]).result


def command(text: str) -> Step:
    return Step("command", typed("command", {"_raw_params": text}))


def processes_with(mark: str) -> list[int]:
    """Pids of processes whose command line holds the mark."""
    found = subprocess.run(["pgrep", "-f", "--", mark], capture_output=True, text=True, check=False, timeout=10)
    return [int(pid) for pid in found.stdout.split() if int(pid) != os.getpid()]


async def gone(mark: str, seconds: float) -> bool:
    """True as soon as no process has the mark, False when some still do after the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not processes_with(mark):
            return True
        await asyncio.sleep(0.1)
    return not processes_with(mark)
