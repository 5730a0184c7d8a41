"""Wait for some time, or for the operator."""

from __future__ import annotations

import asyncio
import datetime
import time
from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Flag, Number, Raw, Spec, Text

SPEC = Spec(
    args={
        "seconds": Raw(text="How long: a number."),
        "minutes": Raw(text="How long: a number."),
        "prompt": Raw(text="What to ask; without a time, waits for Enter."),
        "echo": Flag(default=True, text="Whether what is typed is shown."),
    },
    returns={"delta": Number(), "start": Text(), "stop": Text(), "stdout": Text(), "user_input": Text(), "echo": Flag()},
    examples=["pause: {seconds: 1}"],
    exclusive=(("minutes", "seconds"),),
    notes=("At a terminal Ctrl+C asks what to do: C goes on, A aborts the play.",),
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    seconds = length(args)
    begun, started = time.monotonic(), datetime.datetime.now()
    answer = await ask(context, args, seconds)
    spent = time.monotonic() - begun
    unit, amount = ("minutes", round(spent / 60, 2)) if args.minutes is not None else ("seconds", round(spent, 2))
    return {
        "changed": False, "delta": int(spent), "start": str(started), "stop": str(datetime.datetime.now()), "rc": 0, "stderr": "",
        "stdout": f"Paused for {amount} {unit}", "user_input": answer or "", "echo": args.echo,
    }  # fmt: skip


def length(args: Any) -> float | None:
    """Seconds to wait, one at least; None without a limit. Raises OpsError."""
    name, factor = ("seconds", 1) if args.seconds is not None else ("minutes", 60)
    given = args[name]
    if given is None:
        return None
    try:
        return max(1.0, float(given) * factor)
    except (TypeError, ValueError):
        kind = type(given).__name__
        raise OpsError(
            "bad-argument", f"argument '{name}' is of type {kind} and we were unable to convert to int: {given!r} is not a number",
            remedy=f"Write {name}: 30",
        ) from None  # fmt: skip


async def ask(context: Context, args: Any, seconds: float | None) -> str:
    """What the operator typed, where no time is set. Raises OpsError where the operator aborts."""
    prompt = str(args.prompt) if args.prompt is not None else "" if seconds is not None else "Press enter to continue, Ctrl+C to interrupt"
    shown = f"[{context.task_name}]\n{prompt}{'' if args.echo else ' (output is hidden)'}:" if prompt else ""
    begun = time.monotonic()
    answer = await context.ask(shown, args.echo, seconds, pausing=True)
    if answer is None and seconds is None:
        context.notice("warning", "Not waiting for response to prompt as stdin is not interactive")
    if answer is None and seconds is not None and (left := seconds - (time.monotonic() - begun)) > 0:
        await asyncio.sleep(left)  # nobody is at the terminal: the time is kept all the same
    return answer or ""
