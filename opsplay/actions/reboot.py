"""Reboot the host, and wait until it is really back: another boot id, and a command that works."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Flag, Integer, Listing, Spec, Text

SPEC = Spec(
    args={
        "pre_reboot_delay": Integer(default=0, text="Seconds to wait before."),
        "post_reboot_delay": Integer(default=0, text="Seconds to wait before the first look."),
        "reboot_timeout": Integer(default=600, text="Seconds for the host to come back."),
        "connect_timeout": Integer(text="Seconds for one try."),
        "test_command": Text(default="whoami", text="Must exit 0 when the host is back."),
        "msg": Text(default="Reboot initiated by opsplay", text="What users of the host read."),
        "search_paths": Listing(default=("/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"), elements=Text()),
        "boot_time_command": Text(
            default="cat /proc/sys/kernel/random/boot_id", text="Its output differs after a boot."
        ),
        "reboot_command": Text(text="Instead of shutdown."),
    },
    returns={"rebooted": Flag(), "elapsed": Integer()},
    examples=["reboot: {reboot_timeout: 120}"],
    unknown_text="Invalid options for reboot",
    repeatable=False,
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    if context.check:
        return {"changed": True, "rebooted": True, "elapsed": 0}
    before = await boot_id(context, args)
    begun = time.monotonic()
    result = await order(context, args)
    if result.get("failed"):
        return {
            **result,
            "rebooted": False,
            "changed": False,
            "msg": f"Reboot command failed. Error was: '{result.get('stdout')}, {result.get('stderr')}'",
        }
    await asyncio.sleep(max(args.post_reboot_delay, 1))
    problem = await until_back(context, args, before, begun + args.reboot_timeout)
    elapsed = int(time.monotonic() - begun)
    if problem:
        return {"failed": True, "changed": True, "rebooted": False, "elapsed": elapsed, "msg": problem}
    return {"changed": True, "rebooted": True, "elapsed": elapsed}


async def boot_id(context: Context, args: Any) -> str:
    result = await context.module("command", {"cmd": args.boot_time_command}, check=False)
    if result.get("rc") != 0:
        raise OpsError("no-boot-id", f"{args.boot_time_command} failed: {result.get('stderr')}")
    return str(result.get("stdout", "")).strip()


async def order(context: Context, args: Any) -> dict[str, Any]:
    minutes = args.pre_reboot_delay // 60
    command = args.reboot_command or f'shutdown -r {f"+{minutes}" if minutes else "now"} "{args.msg}"'
    paths = ":".join(args.search_paths)
    try:
        return await context.module("shell", {"cmd": f"PATH={paths}:$PATH {command}"}, check=False)
    except OpsError:
        return {"rc": 0}  # the host went away while it said so


async def until_back(context: Context, args: Any, before: str, deadline: float) -> str:
    """Nothing, or why the host does not count as rebooted."""
    seen = ""
    while time.monotonic() < deadline:
        await context.reconnect()
        try:
            now = await asyncio.wait_for(boot_id(context, args), args.connect_timeout or 10)
            if now == before:
                seen = "the host still runs the same boot"
            else:
                tested = await context.module("command", {"cmd": args.test_command}, check=False)
                if tested.get("rc") == 0:
                    return ""
                seen = f"the test command exits {tested.get('rc')}"
        except (OpsError, TimeoutError) as error:
            seen = str(error) or "no answer"
        await asyncio.sleep(1)
    return f"Timed out waiting for the reboot (timeout={args.reboot_timeout}): {seen}"
