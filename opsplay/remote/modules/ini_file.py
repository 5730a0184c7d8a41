"""Ensure an option or section of an INI file."""

from opsplay.remote.edited_file import apply_text, desired_text, observe_text, require_file, text_difference
from opsplay.remote.ini_edit import IniEdit
from opsplay.remote.spec import Choice, Flag, Listing, Path, Raw, Spec, Text
from opsplay.remote.text_lines import split_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest",), text="The file."),
        "section": Text(text="The section; none means the options before any section."),
        "section_has_values": Listing(elements=Raw(), text="Only the section that also has these options."),
        "option": Text(text="The option."),
        "value": Text(text="Its value."),
        "values": Listing(elements=Text(), text="Its values, for an option that stands several times."),
        "exclusive": Flag(default=True, text="Exactly these values; false: these besides others."),
        "state": Choice("absent", "present", default="present", text="Whether it is to be there."),
        "no_extra_spaces": Flag(default=False, text="No spaces around =."),
        "ignore_spaces": Flag(default=False, text="Spaces around = are no difference."),
        "allow_no_value": Flag(default=False, text="Options without a value are allowed."),
        "modify_inactive_option": Flag(default=True, text="Replace a commented line of that option."),
        "create": Flag(default=True, text="Make the file where it is missing."),
        "follow": Flag(default=False, text="Follow a link."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
    },
    returns={"msg": Text(), "path": Text(), "backup_file": Text()},
    examples=("ini_file: {path: /etc/app.ini, section: main, option: port, value: '80'}",),
    file_arguments=True, exclusive=(("value", "values"),),
)


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    return observe_text(system, args, args.path)


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    if args.state == "absent" and before["content"] is None:
        return {}
    require_file(args.path, before, args.create)
    return desired_text(before, _edited(args, before)[0])


def apply(system: "System", args: "Args", change: "Change") -> "Dict[str, Any]":
    return apply_text(system, args, change)


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    return {"path": args.path, "msg": _edited(args, before)[1]}


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Any":
    return text_difference(args.path, before, after)


def _edited(args: "Args", before: "Dict[str, Any]") -> "Any":
    edit = IniEdit(split_lines(before["content"] or ""), args)
    if args.state == "present":
        edit.ensure()
    else:
        edit.remove()
    unchanged = before["content"] is not None and edit.message == "OK"
    return (before["content"] if unchanged else "".join(edit.lines)), edit.message
