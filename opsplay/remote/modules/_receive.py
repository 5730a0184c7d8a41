"""Takes a large file in pieces, into a file beside where it will be put; _copy then puts it there."""

import os
import tempfile
import time

from opsplay.remote.spec import Flag, Integer, ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "dest": Path(required=True, text="Where the file will be put."),
        "token": Text(required=True, text="Names this transfer."),
        "part": Path(text="Where the pieces are, as the first call said."),
        "aside": Flag(default=False, text="In the folder for temporary files instead: it will only be read."),
        "offset": Integer(default=0, text="Where this piece begins; -1 drops what was received."),
    },
    repeatable=False,
)
STALE = 86400  # a transfer whose controller died is dropped by the next one, a day later


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    folder = os.path.dirname(args.part) if args.part else tempfile.gettempdir() if args.aside else _folder(args.dest)
    part = os.path.join(folder, ".opsplay-part-%s" % args.token)
    if args.offset < 0:
        if system.lstat(part) is not None:
            system.remove(part)
        return {"part": part}
    if system.check:
        return {"part": part}
    if args.offset == 0:
        _drop_stale(system, folder)
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if args.offset == 0 else 0)
    try:
        fd = os.open(part, flags, 0o600)
    except OSError as error:
        raise ModuleFailure("cannot write in %s: %s" % (folder, error.strerror))
    try:
        _append(fd, args.offset, system.body or b"")
    except OSError as error:
        system.remove(part)
        raise ModuleFailure("cannot write %s: %s; nothing was changed" % (args.dest, error.strerror), errno=error.errno)
    finally:
        os.close(fd)
    return {"part": part}


def _append(fd: "int", offset: "int", data: "bytes") -> "None":
    if os.fstat(fd).st_size != offset:
        raise ModuleFailure("a piece for offset %d arrived at %d" % (offset, os.fstat(fd).st_size))
    os.lseek(fd, offset, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def _folder(dest: "str") -> "str":
    folder = dest if os.path.isdir(dest) else os.path.dirname(os.path.abspath(dest))
    while not os.path.isdir(folder):  # a folder that the copy will make: as near to it as there is one
        folder = os.path.dirname(folder)
    return folder


def _drop_stale(system: "System", folder: "str") -> "None":
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        found = system.lstat(path) if name.startswith(".opsplay-part-") else None
        if found is not None and time.time() - found.st_mtime > STALE and found.st_uid == os.geteuid():
            system.remove(path)
