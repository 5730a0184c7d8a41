"""The host's half of assemble: joins the fragments of a folder there and puts the result in place like a copy."""

import os

from opsplay.remote.fragments import assembled, chosen
from opsplay.remote.modules import _copy
from opsplay.remote.perform import perform_inside
from opsplay.remote.spec import Args, Flag, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "src": Path(required=True), "dest": Path(required=True), "delimiter": Text(), "regexp": Text(),
        "ignore_hidden": Flag(default=False), "backup": Flag(default=False), "validate": Text(),
    },
    file_arguments=True,
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if not os.path.isdir(args.src):
        found = system.stat(args.src) is not None
        raise ModuleFailure(("Source (%s) is not a directory" if found else "Source (%s) does not exist") % args.src)
    names = [name for name in system.listdir(args.src) if os.path.isfile(os.path.join(args.src, name))]
    paths = [os.path.join(args.src, name) for name in chosen(names, args.regexp, args.ignore_hidden)]
    system.body = assembled([system.read(path) for path in paths], args.delimiter)
    given = {name: argument.default for name, argument in _copy.SPEC.args.items()}
    given.update((name, args[name]) for name in given if name in args)
    return dict(perform_inside(_copy, system, Args(given)), msg="OK")
