"""Ensure that a line is in a text file, or that lines are not."""

from opsplay.remote.edited_file import apply_text, desired_text, observe_text, require_file, text_difference
from opsplay.remote.line_edit import with_line, without_line
from opsplay.remote.spec import Choice, Flag, Integer, Path, Spec, Text
from opsplay.remote.text_lines import split_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest", "destfile", "name"), text="The file; links are followed."),
        "line": Text(aliases=("value",), text="The line to have."),
        "regexp": Text(aliases=("regex",), text="Which line to replace (the last match), or to remove (all)."),
        "search_string": Text(text="The same, as a literal part of the line."),
        "state": Choice("absent", "present", default="present", text="Whether the line is to be there."),
        "backrefs": Flag(default=False, text="Expand groups of regexp in line; without a match nothing changes."),
        "insertafter": Text(text="Put a new line behind the last match of this regex, or EOF."),
        "insertbefore": Text(text="Put a new line before the last match of this regex, or BOF."),
        "firstmatch": Flag(default=False, text="The first match instead of the last."),
        "create": Flag(default=False, text="Make the file where it is missing."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
        "validate": Text(text="Command that must accept the new file, named %s."),
        "encoding": Text(default="utf-8", text="How the file is encoded."),
    },
    returns={"msg": Text(), "backup": Text(), "found": Integer()},
    examples=("lineinfile: {path: /etc/hosts, regexp: '^127', line: '127.0.0.1 localhost'}",),
    file_arguments=True, exclusive=(("insertbefore", "insertafter"), ("regexp", "search_string"), ("backrefs", "search_string")),
    required_if=(("state", "present", ("line",)),),
)


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    if not system.warnings:
        _warn_of_empty(system, args)
    return observe_text(system, args, args.path)


def _warn_of_empty(system: "System", args: "Args") -> "None":
    consequence = "This may have unintended consequences, such as replacing the last line in the file rather than appending."
    if args.regexp == "":
        system.warn("The regular expression is an empty string, which will match every line in the file. %s "
                    "If this is desired, use '^' to match every line in the file and avoid this warning." % consequence)
    elif args.search_string == "":
        system.warn("The search string is an empty string, which will match every line in the file. %s" % consequence)


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    if args.state == "absent" and before["content"] is None:
        return {}
    require_file(args.path, before, args.create, "Destination")
    lines = _edited(args, before)[0]
    return desired_text(before, "".join(lines))


def apply(system: "System", args: "Args", change: "Change") -> "Dict[str, Any]":
    return apply_text(system, args, change)


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    if args.state == "absent" and before["content"] is None:
        return {"msg": "file not present", "found": 0, "backup": ""}
    _, said, found = _edited(args, before)
    dressed = any(before.get(key) != value for key, value in before["asked"].items())
    if dressed and before["content"] is not None:
        said += (" and " if said else "") + "ownership, perms or SE linux context changed"
    return {"msg": said, "backup": "", "found": found} if args.state == "absent" else {"msg": said, "backup": ""}


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Any":
    return text_difference(args.path, before, after)


def _edited(args: "Args", before: "Dict[str, Any]") -> "Tuple[List[str], str, int]":
    """The new lines, what to say, and how many lines went."""
    lines = split_lines(before["content"] or "")
    if args.state == "present":
        return with_line(lines, args) + (0,)
    kept, gone = without_line(lines, args)
    return kept, "%s line(s) removed" % gone if gone else "", gone
