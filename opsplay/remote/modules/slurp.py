"""Read a file of the host, as base64."""

import base64

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
    try:
        data = system.read(args.src)
    except FileNotFoundError:
        raise ModuleFailure("File not found: %s" % args.src)
    except PermissionError:
        raise ModuleFailure("File is not readable: %s" % args.src)
    except IsADirectoryError:
        raise ModuleFailure("Source is a directory and must be a file: %s" % args.src)
    except OSError as error:
        raise ModuleFailure("Unable to slurp file %s: %s" % (args.src, error.strerror))
    return {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64", "source": args.src}
