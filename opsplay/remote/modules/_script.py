"""The host's half of script: run the script that came along, with its interpreter, from a private folder."""

import os
import shlex

from opsplay.remote.command_run import run_documented, would_run
from opsplay.remote.spec import Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "name": Text(required=True, text="The script's file name, shown in the result."),
        "arguments": Text(default="", text="The words behind the script, as the shell reads them."),
        "chdir": Path(),
        "creates": Path(),
        "removes": Path(),
        "executable": Text(text="The interpreter, instead of the one that the script's first line names."),
    },
    check="partial",
    repeatable=False,
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    command = (args.name + " " + args.arguments).strip()
    reason = _not_needed(system, args)
    if reason:
        return {"changed": False, "skipped": True, "msg": reason}
    if system.check:
        return would_run(args, command)
    path = os.path.join(system.temporary(), os.path.basename(args.name) or "script")
    script = system.body or b""
    system.write(path, script, mode=0o700)
    words = "%s%s %s" % (_interpreter(script, args.executable), shlex.quote(path), args.arguments)
    result = run_documented(system, args, words, shell="/bin/sh")
    result["cmd"] = command
    return result


def _not_needed(system: "System", args: "Args") -> "Optional[str]":
    if args.creates and system.glob(os.path.join(args.chdir or "", args.creates)):
        return "%s exists, matching creates option" % args.creates
    if args.removes and not system.glob(os.path.join(args.chdir or "", args.removes)):
        return "%s does not exist, matching removes option" % args.removes
    return None


def _interpreter(script: bytes, executable: "str") -> str:
    """Named, not left to the kernel: a folder mounted noexec does not matter, and a script without #! is for sh."""
    if executable:
        return executable + " "
    if script.startswith(b"\x7fELF"):
        return ""
    first = (
        script.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r") if script.startswith(b"#!") else "#!/bin/sh"
    )
    program, _, argument = first[2:].strip().partition(" ")
    return shlex.quote(program) + (" " + shlex.quote(argument.strip()) if argument.strip() else "") + " "
