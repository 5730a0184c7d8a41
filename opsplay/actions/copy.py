"""Copy a file, a folder or given content to hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._file_transfer import FIRST, Content, first, local_mode, send
from opsplay.actions._folder_transfer import send_folder
from opsplay.errors import OpsError
from opsplay.remote.spec import FILE_ARGUMENTS, Args, Flag, Raw, Spec, Text
from opsplay.remote.spec import Path as PathArgument

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "src": PathArgument(text="File or folder of the controller; a folder ending in / means what is in it."),
        "content": Raw(text="What the file is to hold, instead of src; a dictionary is written as JSON."),
        "dest": PathArgument(required=True, text="Where to put it. A folder if src is one, or if it ends in /."),
        "remote_src": Flag(default=False, text="src is on the host."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
        "force": Flag(default=True, aliases=("thirsty",), text="false: only where there is no file yet."),
        "follow": Flag(default=False, text="Write through a link at dest."),
        "local_follow": Flag(default=True, text="Go through links in src."),
        "directory_mode": Raw(text="Permissions of folders that are made."),
        "validate": Text(text="Command that must accept the new file, named %s."),
        "checksum": Text(text="The SHA-1 that the content must have."),
        "decrypt": Flag(default=True, text="Decrypt what ansible-vault has encrypted."),
    },
    returns={"dest": Text(), "src": Text(), "checksum": Text(), "md5sum": Text(), "backup_file": Text(), "state": Text(),
             "mode": Text(), "owner": Text(), "group": Text(), "uid": Text(), "gid": Text(), "size": Text()},
    examples=("copy: {src: app.conf, dest: /etc/app.conf, mode: '0644'}", "copy: {content: 'hello', dest: /tmp/hello}"),
    file_arguments=True, exclusive=(("src", "content"),), missing_text="dest is required",
)  # fmt: skip
UNSHOWN_ARGUMENTS = ("content",)  # no secret in itself, but it may hold some: it is left out of the invocation
SENT = ("dest", "backup", "force", "follow", "validate", "directory_mode", *FILE_ARGUMENTS)


def first_step(context: Context, args: Args) -> FIRST | None:
    """Module, arguments and body of the one step that does it all; None where it takes more than one."""
    if args.remote_src:
        return "_copy_on_host", on_host_arguments(args), None
    path, content = source(context, args)
    return first(host_arguments(args, path), content) if content is not None and content.inline else None


async def act(context: Context, args: Args) -> dict[str, Any]:
    if args.remote_src:
        return await context.module("_copy_on_host", on_host_arguments(args))
    path, content = source(context, args)
    if content is None:
        assert path is not None
        return await send_folder(context, args, path)
    return await send(context, host_arguments(args, path), content)


def source(context: Context, args: Args) -> tuple[Path | None, Content | None]:
    """The local path (None for `content`) and what is in it (None for a folder). Raises OpsError."""
    if not args.src and args.content is None:
        raise OpsError("bad-arguments", "src (or content) is required", remedy="Give copy one of both.")
    if args.content is not None:
        if args.dest.endswith("/"):
            raise OpsError("bad-arguments", "can not use content with a dir as dest", remedy="Let dest name the file.")
        return None, Content.of(text_of(args.content).encode("utf-8", "surrogateescape"))
    path = Path(context.find_file("files", args.src))
    return path, None if path.is_dir() else Content.of_file(path, context, args.decrypt)


def text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    return json.dumps(content) if isinstance(content, (dict, list)) else str(content)


def host_arguments(args: Args, path: Path | None) -> dict[str, Any]:
    sent = {name: args[name] for name in SENT if args.get(name) is not None}
    if path is not None:
        sent |= {"name": path.name, "src": str(path)}
        if args.mode is not None:
            sent["mode"] = local_mode(args.mode, path)
    return sent | ({"checksum": args.checksum} if args.checksum else {})


def on_host_arguments(args: Args) -> dict[str, Any]:
    return {name: args[name] for name in (*SENT, "src", "local_follow", "checksum") if args.get(name) is not None}
