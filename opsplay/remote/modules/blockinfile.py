"""Ensure a block of lines between two marker lines in a text file."""

from opsplay.remote.block_edit import with_block
from opsplay.remote.edited_file import apply_text, desired_text, observe_text, require_file, text_difference
from opsplay.remote.spec import Choice, Flag, Path, Spec, Text
from opsplay.remote.text_lines import split_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest", "destfile", "name"), text="The file; links are followed."),
        "block": Text(default="", aliases=("content",), text="The lines; none removes the block."),
        "state": Choice("absent", "present", default="present", text="Whether the block is to be there."),
        "marker": Text(default="# {mark} ANSIBLE MANAGED BLOCK", text="The marker lines, with {mark} in them."),
        "marker_begin": Text(default="BEGIN", text="{mark} of the opening marker."),
        "marker_end": Text(default="END", text="{mark} of the closing marker."),
        "insertafter": Text(text="Put a new block behind the last match of this regex, or EOF."),
        "insertbefore": Text(text="Put a new block before the last match of this regex, or BOF."),
        "append_newline": Flag(default=False, text="A blank line behind the block."),
        "prepend_newline": Flag(default=False, text="A blank line before the block."),
        "create": Flag(default=False, text="Make the file where it is missing."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
        "validate": Text(text="Command that must accept the new file, named %s."),
        "encoding": Text(default="utf-8", text="How the file is encoded."),
    },
    returns={"msg": Text(), "backup_file": Text()},
    examples=("blockinfile: {path: /etc/hosts, block: '10.0.0.1 db1'}",),
    file_arguments=True, exclusive=(("insertbefore", "insertafter"),),
)


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    return observe_text(system, args, args.path)


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    require_file(args.path, before, args.create)
    lines = with_block(split_lines(before["content"] or ""), args)
    if before["content"] is None and not lines:
        return {}
    return desired_text(before, "".join(lines))


def apply(system: "System", args: "Args", change: "Change") -> "Dict[str, Any]":
    return apply_text(system, args, change)


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    old, new = before["content"], after["content"]
    if old == new:
        dressed = any(before.get(key) != value for key, value in before["asked"].items())
        return {"msg": "ownership, perms or SE linux context changed" if dressed and old is not None else ""}
    if old is None:
        return {"msg": "File created"}
    if args.state == "absent" or not args.block.strip("\n"):
        return {"msg": "Block removed"}
    return {"msg": "Block inserted"}


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Any":
    return text_difference(args.path, before, after)
