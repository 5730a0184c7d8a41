"""Read a file of the host, as base64."""

import base64
import os

from opsplay.remote.spec import ModuleFailure, Path, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={"src": Path(required=True, aliases=("path",), text="The file to read.")},
    returns={"content": Text(text="base64"), "encoding": Text(text='"base64"'), "source": Text()},
    examples=("slurp: {src: /proc/mounts}",),
)


def read(system: "System", args: "Args") -> "Dict[str, Any]":
    found = system.stat(args.src)
    if found is None:
        raise ModuleFailure("file not found: %s" % args.src)
    if os.path.isdir(args.src):
        raise ModuleFailure("source is a directory and must be a file: %s" % args.src)
    try:
        data = system.read(args.src)
    except PermissionError:
        raise ModuleFailure("file is not readable: %s" % args.src)
    return {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64", "source": args.src}
