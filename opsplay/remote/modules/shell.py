"""Run a command line through a shell."""

from opsplay.remote.command_run import not_needed, run_documented, would_run
from opsplay.remote.spec import Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "cmd": Text(aliases=("_raw_params", "free_form"), text="The command line."),
        "chdir": Path(text="Folder to run in."),
        "creates": Path(text="Skip where a file of this glob exists."),
        "removes": Path(text="Skip where no file of this glob exists."),
        "executable": Path(text="The shell to use, as an absolute path."),
        "stdin": Text(text="What the command reads."),
        "stdin_add_newline": Flag(default=True, text="End stdin with a newline."),
        "strip_empty_ends": Flag(default=True, text="Strip empty lines from the end of stdout and stderr."),
    },
    returns={"cmd": Text(), "rc": Text(), "stdout": Text(), "stderr": Text(), "stdout_lines": Listing(),
             "stderr_lines": Listing(), "start": Text(), "end": Text(), "delta": Text(), "msg": Text()},
    examples=("shell: ls | wc -l", "shell: {cmd: 'set -o pipefail; ls | wc -l', executable: /bin/bash}"),
    check="partial", repeatable=False, free_form="cmd",
    notes=("Check mode skips it, unless creates or removes tell what would happen.",),
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if not (args.cmd or "").strip():
        raise ModuleFailure("no command given", rc=256, changed=False)
    done = not_needed(system, args, args.cmd)
    if done is not None:
        return done
    if system.check:
        return would_run(args, args.cmd)
    return run_documented(system, args, args.cmd, shell=args.executable or "/bin/sh")
