"""Render a Jinja template file of the controller and put it on hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._file_transfer import FIRST, Content, first, local_mode, send
from opsplay.errors import OpsError
from opsplay.remote.spec import FILE_ARGUMENTS, Args, Choice, Flag, Spec, Text
from opsplay.remote.spec import Path as PathArgument

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "src": PathArgument(required=True, text="The template, looked for in templates/ first."),
        "dest": PathArgument(required=True, text="Where to put the result; a folder keeps the template's name."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
        "force": Flag(default=True, text="false: only where there is no file yet."),
        "follow": Flag(default=False, text="Write through a link at dest."),
        "validate": Text(text="Command that must accept the new file, named %s."),
        "newline_sequence": Choice("\\n", "\\r", "\\r\\n", "\n", "\r", "\r\n", default="\n", text="How lines end."),
        "block_start_string": Text(default="{%"), "block_end_string": Text(default="%}"),
        "variable_start_string": Text(default="{{"), "variable_end_string": Text(default="}}"),
        "comment_start_string": Text(), "comment_end_string": Text(),
        "trim_blocks": Flag(default=True, text="Drop the newline behind a block."),
        "lstrip_blocks": Flag(default=False, text="Drop blanks before a block."),
        "output_encoding": Text(default="utf-8", text="How the result is encoded."),
    },
    returns={"dest": Text(), "src": Text(), "checksum": Text(), "md5sum": Text(), "backup_file": Text(), "state": Text(),
             "mode": Text(), "owner": Text(), "group": Text(), "uid": Text(), "gid": Text(), "size": Text()},
    examples=("template: {src: app.conf.j2, dest: /etc/app.conf, mode: '0644'}",),
    file_arguments=True, missing_text="src and dest are required",
)  # fmt: skip
SENT = ("dest", "backup", "force", "follow", "validate", *FILE_ARGUMENTS)
SYNTAX = (
    "block_start_string", "block_end_string", "variable_start_string", "variable_end_string", "comment_start_string",
    "comment_end_string", "trim_blocks", "lstrip_blocks", "newline_sequence",
)  # fmt: skip


def first_step(context: Context, args: Args) -> FIRST | None:
    """Module, arguments and body of the one step that does it all; None where it takes more than one."""
    path, content = rendered(context, args)
    return first(host_arguments(args, path), content) if content.inline else None


async def act(context: Context, args: Args) -> dict[str, Any]:
    path, content = rendered(context, args)
    return await send(context, host_arguments(args, path), content)


def rendered(context: Context, args: Args) -> tuple[Path, Content]:
    path = Path(context.find_file("templates", args.src))
    if path.is_dir():
        raise OpsError("bad-arguments", f"{path} is a folder, not a template", remedy="Let src name a file.")
    options = {name: args[name] for name in SYNTAX if args.get(name) is not None}
    text = context.templar.render_file(str(path), context.scope, destpath=args.dest, searchpath=search_path(context), **options)
    try:
        return path, Content.of(text.encode(args.output_encoding or "utf-8", "surrogateescape"))
    except (LookupError, UnicodeEncodeError) as error:
        raise OpsError("bad-encoding", f"{path} cannot be written as {args.output_encoding}: {error}") from None


def search_path(context: Context) -> list[str]:
    """Where include and import look, behind the template's own folder."""
    tops = [top for top in (context.role_path, context.playbook_dir) if top]
    return [folder for top in tops for folder in (f"{top}/templates", top)]


def host_arguments(args: Args, path: Path) -> dict[str, Any]:
    sent = {name: args[name] for name in SENT if args.get(name) is not None}
    if args.mode is not None:
        sent["mode"] = local_mode(args.mode, path)
    return sent | {"name": path.name, "src": str(path)}
