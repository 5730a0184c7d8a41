"""Takes a large file in pieces, into a file beside where it will be put; _copy then puts it there."""

import os
import stat
import tempfile

from opsplay.remote import received
from opsplay.remote.modules._copy import destination
from opsplay.remote.spec import Flag, Integer, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "token": Text(required=True, text="Names this transfer."),
        "dest": Path(text="First call: where the file will be put."),
        "real": Path(text="The same, as _copy has found it already."),
        "name": Text(text="File name to use in a folder."),
        "src": Path(),
        "follow": Flag(default=False),
        "aside": Flag(default=False, text="In the folder for temporary files instead: it will only be read."),
        "size": Integer(text="How long it is: a file of the same length may be the same, and is asked about first."),
        "force": Flag(default=True),
        "md5": Flag(default=False, text="Find the MD5, too."),
        "unsafe_writes": Flag(default=False, text="Elsewhere, where nothing can be made beside dest."),
        "offset": Integer(text="Where this piece begins; -1 drops what was received."),
    },
    repeatable=False,
)


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if args.offset is None:
        return _begin(system, args)
    if args.offset < 0:
        received.drop(args.token)
        return {}
    coming = received.find(args.token)
    try:
        coming.add(args.offset, system.body or b"")
    except OSError as error:
        received.drop(args.token)
        raise ModuleFailure("cannot write %s: %s; nothing was changed" % (coming.path, error.strerror), errno=error.errno)
    return {}


def _begin(system: "System", args: "Args") -> "Dict[str, Any]":
    """`ask`: whether the content is needed at all takes its checksum to know."""
    if args.aside:
        return {"part": received.begin(args.token, tempfile.gettempdir(), "aside").path}
    real = str(args.real or destination(system, args))
    if args.size is not None and _may_be_same(system, args, real):
        return {"ask": True}
    try:
        coming = received.begin(args.token, received.nearest_folder(real), os.path.basename(real), args.md5)
    except ModuleFailure:
        if not args.unsafe_writes:
            raise
        coming = received.begin(args.token, tempfile.gettempdir(), os.path.basename(real), args.md5)
    return {"part": coming.path}


def _may_be_same(system: "System", args: "Args", real: "str") -> "bool":
    found = system.stat(real)
    if found is None:
        return False
    return not args.force or not stat.S_ISREG(found.st_mode) or found.st_size == args.size
