"""Wait until the host can be reached and runs modules."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Integer, Spec

SPEC = Spec(
    args={
        "connect_timeout": Integer(default=5, text="Seconds for one try."),
        "delay": Integer(default=0, text="Seconds before the first try."),
        "sleep": Integer(default=1, text="Seconds between tries."),
        "timeout": Integer(default=600, text="Seconds in all."),
    },
    check="none",
    returns={"elapsed": Integer()},
    examples=["wait_for_connection: {timeout: 5}"],
    unknown_text="Invalid options for wait_for_connection",
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    begun = time.monotonic()
    if context.check:
        return {"changed": False, "elapsed": 0, "skipped": True}
    await asyncio.sleep(args.delay)
    last = ""
    while time.monotonic() - begun < args.timeout:
        try:
            result = await asyncio.wait_for(context.module("ping", {}), args.connect_timeout + args.timeout)
            if result.get("ping") == "pong":
                return {"changed": False, "elapsed": int(time.monotonic() - begun)}
            last = str(result.get("msg", ""))
        except (OpsError, TimeoutError) as error:
            last = str(error)
            await context.reconnect()
        await asyncio.sleep(args.sleep)
    elapsed = int(time.monotonic() - begun)
    return {
        "failed": True,
        "changed": False,
        "elapsed": elapsed,
        "msg": f"timed out waiting for ping module test: {last}",
    }
