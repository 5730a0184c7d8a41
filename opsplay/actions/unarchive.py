"""Unpack an archive, of the controller or the host, into a folder of the host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._file_transfer import Content, Transfer
from opsplay.remote.spec import FILE_ARGUMENTS, Args, Flag, Integer, Listing, ModuleFailure, Spec, Text
from opsplay.remote.spec import Path as PathArgument

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "src": PathArgument(required=True, text="The archive: tar (plain, gz, bz2, xz, zst) or zip; with remote_src also a URL."),
        "dest": PathArgument(required=True, text="The folder to unpack into; it must be there."),
        "remote_src": Flag(default=False, text="src is on the host."),
        "copy": Flag(default=True, text="The old opposite of remote_src."),
        "creates": PathArgument(text="Skip where this exists on the host."),
        "list_files": Flag(default=False, text="Return the names of what is in the archive."),
        "exclude": Listing(default=[], elements=Text(), text="Names or globs to leave out."),
        "include": Listing(default=[], elements=Text(), text="Names or globs to unpack; everything where not given."),
        "keep_newer": Flag(default=False, text="Leave files that are newer than in the archive."),
        "extra_opts": Listing(default=[], elements=Text(), text="--strip-components=N, -p, --no-same-owner, --keep-old-files, ..."),
        "validate_certs": Flag(default=True, text="Check the certificate of a URL's server."),
        "io_buffer_size": Integer(default=65536, text="Accepted; the archive is read in pieces anyway."),
        "decrypt": Flag(default=True, text="Decrypt what ansible-vault has encrypted."),
    },
    returns={"dest": Text(), "src": Text(), "handler": Text(), "files": Listing(), "state": Text(), "owner": Text(),
             "group": Text(), "mode": Text(), "uid": Text(), "gid": Text(), "size": Text()},
    examples=("unarchive: {src: app.tar.gz, dest: /srv/app}",),
    file_arguments=True, exclusive=(("include", "exclude"),),
    notes=("Nothing is ever unpacked outside dest: names with .., links that lead out, devices and what is too large for "
           "the disk are refused.", "Set-id bits are dropped unless extra_opts has -p."),
)  # fmt: skip
SENT = (
    "dest",
    "creates",
    "list_files",
    "exclude",
    "include",
    "keep_newer",
    "extra_opts",
    "validate_certs",
    *FILE_ARGUMENTS,
)


async def act(context: Context, args: Args) -> dict[str, Any]:
    sent = {name: args[name] for name in SENT if args.get(name) is not None}
    if args.remote_src or not args["copy"]:
        return await context.module("_unarchive", {**sent, "src": args.src, "source": "host"})
    if "://" in args.src:
        masked = re.sub(r"//[^/@]*@", "//****:****@", args.src)
        raise ModuleFailure(f"Unsupported option, an URI src ({masked}) is only supported when remote_src is True")
    path = Path(context.find_file("files", args.src))
    content = Content.of_file(path, context, args.decrypt)
    sent |= {"src": str(path)}
    if content.inline:
        return await context.module("_unarchive", sent, body=content.data)
    asked = await context.module("_unarchive", sent)
    return await unpack_large(context, sent, content) if asked.pop("needs_content", False) else asked


async def unpack_large(context: Context, sent: dict[str, Any], content: Content) -> dict[str, Any]:
    """By way of a temporary file; in check mode too, since only the archive tells what would change."""
    async with Transfer(context, {"aside": True}, check=False) as transfer:
        refused = await transfer.send(content)
        if refused is not None:
            return refused
        return await context.module("_unarchive", {**sent, "part": transfer.began["part"], "source": "part"})
