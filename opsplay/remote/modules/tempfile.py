"""Make a temporary file or folder on the host."""

import os
import tempfile

from opsplay.remote.file_facts import group_name, user_name
from opsplay.remote.spec import Choice, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "state": Choice("file", "directory", default="file", text="What to make."),
        "path": Path(text="Folder to make it in; the system's temporary folder where not given."),
        "prefix": Text(default="ansible.", text="How its name begins."),
        "suffix": Text(default="", text="How its name ends."),
    },
    returns={
        "path": Text(),
        "uid": Text(),
        "gid": Text(),
        "owner": Text(),
        "group": Text(),
        "mode": Text(),
        "size": Text(),
        "state": Text(),
    },
    examples=("tempfile: {state: directory, suffix: build}",),
    check="none",
    repeatable=False,
    notes=("Every run makes another one; check mode makes none, so there is no path to return.",),
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    for name in ("prefix", "suffix"):
        if os.sep in args[name]:  # it would leave the folder
            raise ModuleFailure("%s must be a valid file name component, got %r" % (name, args[name]))
    make = _file if args.state == "file" else _directory
    try:
        path = make(args)
    except OSError as error:
        raise ModuleFailure("cannot make a temporary %s: %s" % (args.state, error))
    found = system.lstat(path)
    return {
        "changed": True,
        "path": path,
        "state": args.state,
        "mode": "0%o" % (found.st_mode & 0o7777),
        "owner": user_name(found.st_uid),
        "group": group_name(found.st_gid),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "size": found.st_size,
    }


def _file(args: "Args") -> str:
    handle, path = tempfile.mkstemp(prefix=args.prefix, suffix=args.suffix, dir=args.path)
    os.close(handle)
    return path


def _directory(args: "Args") -> str:
    return tempfile.mkdtemp(prefix=args.prefix, suffix=args.suffix, dir=args.path)
