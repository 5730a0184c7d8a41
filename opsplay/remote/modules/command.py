"""Run a program, without a shell."""

import shlex

from opsplay.remote.command_run import not_needed, run_documented, would_run
from opsplay.remote.expansion import expand
from opsplay.remote.spec import Flag, Listing, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "cmd": Text(aliases=("_raw_params", "free_form"), text="The command with its arguments, as one text."),
        "argv": Listing(elements=Text(), text="The command as a list; nothing is split or quoted."),
        "executable": Path(text="Takes no effect: the module runs no shell. Use shell."),
        "chdir": Path(text="Folder to run in."),
        "creates": Path(text="Skip where a file of this glob exists."),
        "removes": Path(text="Skip where no file of this glob exists."),
        "stdin": Text(text="What the command reads."),
        "stdin_add_newline": Flag(default=True, text="End stdin with a newline."),
        "strip_empty_ends": Flag(default=True, text="Strip empty lines from the end of stdout and stderr."),
        "expand_argument_vars": Flag(default=True, text="Expand $VARIABLES in the arguments."),
    },
    returns={"cmd": Listing(), "rc": Text(), "stdout": Text(), "stderr": Text(), "stdout_lines": Listing(),
             "stderr_lines": Listing(), "start": Text(), "end": Text(), "delta": Text(), "msg": Text()},
    examples=("command: cat /etc/hostname", "command: {argv: [touch, /tmp/a b], creates: /tmp/a b}"),
    check="partial", repeatable=False, free_form="cmd", exclusive=(("cmd", "argv"),),
    notes=("Check mode skips it, unless creates or removes tell what would happen.",),
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if args.executable:
        system.warn("As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. "
                    "Not using '%s'." % args.executable)
    argv = _argv(args)
    if args.expand_argument_vars:
        argv = [expand(word, system.environment) for word in argv]
    done = not_needed(system, args, argv)
    if done is not None:
        return done
    if system.check:
        return would_run(args, argv)
    return run_documented(system, args, argv)


def _argv(args: "Args") -> "List[str]":
    if args.argv:
        return [str(word) for word in args.argv]
    try:
        argv = shlex.split(args.cmd or "")
    except ValueError as error:
        raise ModuleFailure("cannot split the command into words: %s: %s" % (error, args.cmd), rc=256, changed=False)
    if not argv:
        raise ModuleFailure("one of the following is required: _raw_params, argv", rc=256, changed=False)
    return argv
