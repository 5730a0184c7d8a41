"""The host's half of fetch: a piece of a file, its size and checksum."""

import os
import stat

from opsplay.remote.spec import Integer, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "src": Path(required=True),
        "known": Text(text="SHA-1 of what the controller has; the same is not sent."),
        "offset": Integer(default=0),
        "limit": Integer(default=1 << 20, text="The most to send; 0 for the checksum alone."),
    },
)


def read(system: "System", args: "Args") -> "Dict[str, Any]":
    try:
        found = system.stat(args.src)
    except PermissionError:
        raise ModuleFailure("File is not readable: Permission denied, %s lies in a folder that is closed to this user" % args.src, missing=True, file=args.src)
    if found is None:
        raise ModuleFailure("the remote file does not exist", missing=True, file=args.src)
    if stat.S_ISDIR(found.st_mode):
        raise ModuleFailure("remote file is a directory, fetch cannot work on directories", missing=True, file=args.src)
    if not stat.S_ISREG(found.st_mode):
        raise ModuleFailure("remote file is no regular file", file=args.src)
    result: "Dict[str, Any]" = {"size": found.st_size}
    try:
        if args.offset == 0:
            result["checksum"] = system.digest(args.src)
        if args.limit and (args.offset or result["checksum"] != args.known):
            result["_body"] = _piece(args.src, args.offset, args.limit)
    except OSError as error:
        raise ModuleFailure("File is not readable (%s): %s" % (args.src, error.strerror), missing=True, file=args.src)
    return result


def _piece(path: "str", offset: "int", limit: "int") -> "bytes":
    with open(path, "rb") as handle:
        handle.seek(offset, os.SEEK_SET)
        return handle.read(limit)
