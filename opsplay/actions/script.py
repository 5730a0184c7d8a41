"""Run a script of the controller on hosts."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._file_transfer import FIRST, Content
from opsplay.errors import OpsError
from opsplay.remote.spec import Args, Flag, Listing, Spec, Text
from opsplay.remote.spec import Path as PathArgument

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args={
        "cmd": Text(required=True, aliases=("_raw_params", "free_form"), text="The script's path and its arguments."),
        "chdir": PathArgument(text="Folder of the host to run in."),
        "creates": PathArgument(text="Skip where this exists on the host."),
        "removes": PathArgument(text="Skip where this does not exist on the host."),
        "executable": Text(text="What to run the script with."),
        "decrypt": Flag(default=True, text="Decrypt what ansible-vault has encrypted."),
    },
    returns={"rc": Text(), "stdout": Text(), "stderr": Text(), "stdout_lines": Listing(), "stderr_lines": Listing()},
    examples=("script: setup.sh --fast", "script: {cmd: report.py, executable: python3}"),
    check="partial", repeatable=False, free_form="cmd", missing_text="one of the following is required: _raw_params, cmd",
    notes=("Check mode skips it, unless creates or removes tell what would happen.",),
)  # fmt: skip


def first_step(context: Context, args: Args) -> FIRST:
    """Module, arguments and body of the one step that does it all."""
    name, arguments = split(args.cmd or "")
    path = Path(context.find_file("files", name))
    if path.is_dir():
        raise OpsError("bad-arguments", f"{path} is a folder, not a script")
    content = Content.of_file(path, context, args.decrypt)
    data = content.data if content.data is not None else path.read_bytes()
    sent = {key: args[key] for key in ("chdir", "creates", "removes", "executable") if args[key]}
    return "_script", {**sent, "name": str(path), "arguments": arguments}, data


async def act(context: Context, args: Args) -> dict[str, Any]:
    module, arguments, body = first_step(context, args)
    return await context.module(module, arguments, body=body)


def split(text: str) -> tuple[str, str]:
    """The script's path, and the rest as the host's shell is to read it. Raises OpsError."""
    lexer = shlex.shlex(text.strip(), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        name = lexer.get_token()
    except ValueError as error:
        raise OpsError("bad-arguments", f"cannot split {text!r} into words: {error}") from None
    if not name:
        raise OpsError("bad-arguments", "no script given", remedy="Name a file of the controller.")
    return name, lexer.instream.read().strip()  # type: ignore[call-arg]
