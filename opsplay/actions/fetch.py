"""Copy a file of the host to the controller."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from opsplay.errors import OpsError
from opsplay.remote.spec import Args, Flag, Raw, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "src": Raw(required=True, text="The file on the host."),
        "dest": Text(required=True, text="Folder of the controller; the file lands in dest/HOST/path/of/src."),
        "flat": Flag(default=False, text="dest is the file itself, or the folder it lands in when it ends in /."),
        "fail_on_missing": Flag(default=True, text="Fail where src is not there or cannot be read."),
        "validate_checksum": Flag(default=True, text="Compare checksums afterwards."),
    },
    returns={"dest": Text(), "checksum": Text(), "md5sum": Text(), "remote_checksum": Text(), "remote_md5sum": Text(), "file": Text()},
    examples=("fetch: {src: /etc/hostname, dest: fetched/}",), missing_text="src and dest are required",
    check="none",
)
PIECE = 1024 * 1024


async def act(context: Context, args: Args) -> dict[str, Any]:
    if context.check:
        return {"changed": False, "skipped": True, "msg": "check mode not (yet) supported for this module"}
    if not isinstance(args.src, str) or not isinstance(args.dest, str):
        side = "destination" if isinstance(args.src, str) else "source"
        return {"failed": True, "changed": False, "msg": f"Invalid type supplied for {side} option, it must be a string"}
    dest = destination(context, args)
    known = checksum(dest)
    reply = await context.module("_fetch", {"src": args.src, "known": known, "limit": PIECE})
    if reply.get("failed"):
        if args.fail_on_missing or not reply.get("missing"):
            return {name: value for name, value in reply.items() if name != "missing"}
        return {"changed": False, "msg": f"{reply['msg']}, not transferring, ignored", "file": args.src, "dest": str(dest)}
    if reply["checksum"] == known:
        return {"changed": False, "dest": str(dest), "checksum": known, "md5sum": md5(dest), "file": args.src}
    found = {"changed": True, "dest": str(dest), "checksum": reply["checksum"], "remote_checksum": reply["checksum"], "remote_md5sum": None}
    diff = {"before": {"path": str(dest), "checksum": known}, "after": {"path": str(dest), "checksum": reply["checksum"]}}
    await receive(context, args, dest, reply)
    found["md5sum"] = md5(dest)
    return found | ({"diff": diff} if context.diff else {})


def destination(context: Context, args: Args) -> Path:
    """Made from what was asked for, never from what the host says; `..` leads nowhere above the host's own folder."""
    base = Path(os.path.expanduser(args.dest))
    base = base if base.is_absolute() else Path(context.playbook_dir) / base
    if args.flat:
        if base.is_dir() and not args.dest.endswith("/"):
            raise OpsError("bad-arguments", "dest is an existing directory, use a trailing slash if you want to fetch src into that directory")
        chosen = base / os.path.basename(args.src) if args.dest.endswith("/") else base
        if chosen.is_dir():
            raise OpsError("bad-arguments", f"calculated dest '{chosen}' is an existing directory, use another path that does not point to an existing directory")
        return chosen
    top = Path(os.path.normpath(base / context.host))
    if not top.is_relative_to(os.path.normpath(base)):
        raise OpsError("unsafe-path", f"the host's name {context.host} leads out of {base}", remedy="Give it another name, and this one as ansible_host.")
    return Path(f"{top}{os.path.normpath('/' + args.src.lstrip('/'))}")


async def receive(context: Context, args: Args, dest: Path, reply: dict[str, Any]) -> None:
    """Into a file beside dest, which takes its place when it is whole. Raises OpsError."""
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        temporary = dest.parent / f".{dest.name[:150]}.opsplay-{os.urandom(8).hex()}"
        with open(temporary, "xb") as handle:
            try:
                await receive_pieces(context, args, handle, reply)
                os.replace(temporary, dest)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OpsError("cannot-write", f"cannot write {dest}: {error.strerror}", remedy=f"Look at it: ls -ld {dest.parent}") from None


async def receive_pieces(context: Context, args: Args, handle: BinaryIO, reply: dict[str, Any]) -> None:
    size, wanted = int(reply["size"]), reply["checksum"]
    space = os.statvfs(handle.fileno())
    if size > space.f_bavail * space.f_frsize:
        raise OpsError("disk-full", f"{args.src} has {size} bytes, and {os.path.dirname(handle.name)} has no room for them")
    digest = hashlib.sha1()
    while True:
        piece = reply.get("_body") or b""
        if len(piece) > PIECE or handle.tell() + len(piece) > size:
            raise OpsError("fetch-failed", f"the host sends more of {args.src} than was asked for", remedy="Run it again if the file is growing.")
        digest.update(piece)
        handle.write(piece)
        if not piece or handle.tell() >= size:
            break
        reply = await context.module("_fetch", {"src": args.src, "offset": handle.tell(), "limit": PIECE}, check=False)
        if reply.get("failed"):
            raise OpsError("fetch-failed", str(reply.get("msg")))
    handle.flush()
    os.fsync(handle.fileno())
    if args.validate_checksum and digest.hexdigest() != wanted:
        raise OpsError("checksum-mismatch", f"checksum mismatch: {args.src} has changed while it was read", remedy="Run it again.")


def checksum(path: Path) -> str | None:
    if not path.is_file():
        return None
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha1").hexdigest()


def md5(path: Path) -> str | None:
    try:
        with open(path, "rb") as handle:
            return hashlib.file_digest(handle, "md5").hexdigest()
    except ValueError:  # forbidden by policy
        return None
