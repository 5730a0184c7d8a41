"""Run a command on the host by its shell alone, without Python there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from opsplay.errors import OpsError
from opsplay.remote.spec import Args, Listing, Spec, Text
from opsplay.remote.spec import Path as PathArgument

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "cmd": Text(aliases=("_raw_params", "free_form"), text="The command line."),
        "executable": PathArgument(text="The shell to use, as an absolute path."),
    },
    returns={"rc": Text(), "stdout": Text(), "stderr": Text(), "stdout_lines": Listing(), "stderr_lines": Listing(), "msg": Text()},
    examples=("raw: apt-get install -y python3",),
    check="none", repeatable=False, free_form="cmd",
    notes=("It has no creates, no environment and no check mode: where the host has Python, use command or shell.",),
)  # fmt: skip


async def act(context: Context, args: Args) -> dict[str, Any]:
    if not (args.cmd or "").strip():
        raise OpsError("bad-arguments", "no command given", remedy="Write it behind raw:")
    if context.check:
        return {"changed": False, "skipped": True, "msg": "check mode does not run it"}
    command = f"{args.executable} -c {shlex.quote(args.cmd)}" if args.executable else args.cmd
    run = await context.raw_command(command)
    stdout, stderr = (str(run[name]).replace("\r\n", "\n") for name in ("stdout", "stderr"))
    result = {"changed": True, "rc": run["rc"], "stdout": stdout, "stderr": stderr,
              "stdout_lines": stdout.splitlines(), "stderr_lines": stderr.splitlines()}  # fmt: skip
    return result | ({"failed": True, "msg": "non-zero return code"} if run["rc"] else {})
