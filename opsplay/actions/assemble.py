"""Put a file together from the fragments in a folder, of the host or the controller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._file_transfer import VAULT_HEADER as ENCRYPTED
from opsplay.actions._file_transfer import Content, decrypted, send
from opsplay.errors import OpsError
from opsplay.remote.fragments import assembled, chosen
from opsplay.remote.spec import FILE_ARGUMENTS, Args, Flag, ModuleFailure, Spec, Text
from opsplay.remote.spec import Path as PathArgument

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "src": PathArgument(required=True, text="The folder with the fragments; they are taken in the order of their names."),
        "dest": PathArgument(required=True, text="The file to make."),
        "remote_src": Flag(default=True, text="src is on the host."),
        "delimiter": Text(text="What to put between fragments."),
        "regexp": Text(text="Which fragments to take, by name."),
        "ignore_hidden": Flag(default=False, text="Leave out names that begin with a dot."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
        "decrypt": Flag(default=True, text="Decrypt what ansible-vault has encrypted."),
        "validate": Text(text="Command that must accept the new file, named %s."),
    },
    returns={"dest": Text(), "src": Text(), "checksum": Text(), "md5sum": Text(), "backup_file": Text(), "msg": Text()},
    examples=("assemble: {src: /etc/app.d, dest: /etc/app.conf}",),
    file_arguments=True, missing_text="src and dest are required",
)
SENT = ("dest", "backup", "validate", *FILE_ARGUMENTS)


async def act(context: Context, args: Args) -> dict[str, Any]:
    if args.remote_src:
        sent = {name: args[name] for name in (*SENT, "src", "delimiter", "regexp", "ignore_hidden") if args.get(name) is not None}
        return await context.module("_assemble", sent)
    folder = Path(context.find_file("files", args.src))
    if not folder.is_dir():
        raise OpsError("bad-arguments", f"Source ({folder}) is not a directory", remedy="Let src name the folder of the fragments.")
    content = Content.of(assembled(fragments(context, args, folder), args.delimiter))
    sent = {name: args[name] for name in SENT if args.get(name) is not None}
    result = await send(context, sent | {"src": args.src}, content)
    if isinstance(result.get("diff"), list) and result["diff"]:
        result["diff"] = result["diff"][0]  # documented as one, not as copy's list
    return result


def fragments(context: Context, args: Args, folder: Path) -> list[bytes]:
    try:
        paths = [folder / name for name in chosen([path.name for path in folder.iterdir() if path.is_file()], args.regexp, args.ignore_hidden)]
    except ModuleFailure as failure:
        raise OpsError("bad-arguments", failure.msg) from None
    found = [(path, path.read_bytes()) for path in paths]
    return [decrypted(data, path, context) if args.decrypt and data.startswith(ENCRYPTED) else data for path, data in found]
