"""Replace every match of a regular expression in a text file."""

import re

from opsplay.remote.edited_file import apply_text, desired_text, observe_text, require_file, text_difference
from opsplay.remote.spec import Flag, ModuleFailure, Path, Spec, Text
from opsplay.remote.text_lines import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("dest", "destfile", "name"), text="The file; links are followed."),
        "regexp": Text(required=True, text="What to replace; ^ and $ match at lines."),
        "replace": Text(default="", text="What to put there; \\1 and \\g<name> are groups."),
        "after": Text(text="Only behind this regex, over lines."),
        "before": Text(text="Only before this regex, over lines."),
        "backup": Flag(default=False, text="Keep a copy of the old file."),
        "validate": Text(text="Command that must accept the new file, named %s."),
        "encoding": Text(default="utf-8", text="How the file is encoded."),
    },
    returns={"msg": Text(), "backup_file": Text(), "rc": Text()},
    examples=("replace: {path: /etc/hosts, regexp: 'old\\.example', replace: new.example}",),
    file_arguments=True,
)


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    before = observe_text(system, args, args.path)
    require_file(args.path, before, create=False)
    return before


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    return desired_text(before, _replaced(args, before["content"])[0])


def apply(system: "System", args: "Args", change: "Change") -> "Dict[str, Any]":
    return apply_text(system, args, change)


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    said = _replaced(args, before["content"])[1]
    dressed = any(before.get(key) != value for key, value in before["asked"].items())
    if dressed:
        said += (" and " if said else "") + "ownership, perms or SE linux context changed"
    return {"msg": said, "rc": 0}


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Any":
    return text_difference(args.path, before, after)


def _replaced(args: "Args", text: "str") -> "Tuple[str, str]":
    """The new text and what to say."""
    span = _section(args, text)
    if span is None:
        return text, "Pattern for before/after params did not match the given file: %s" % (args.after or args.before)
    start, end = span
    try:
        new, count = pattern(args.regexp, "regexp", re.MULTILINE).subn(args.replace, text[start:end])
    except (re.error, IndexError) as error:
        raise ModuleFailure("Unable to process replace due to error: %s" % error)
    new = text[:start] + new + text[end:]
    return new, "%s replacements made" % count if count and new != text else ""


def _section(args: "Args", text: "str") -> "Optional[Tuple[int, int]]":
    """The part between `after` and `before`, the latter found behind the former."""
    start, end = 0, len(text)
    if args.after:
        found = pattern(args.after, "after", re.DOTALL).search(text)
        if not found:
            return None
        start = found.end()
    if args.before:
        found = pattern(args.before, "before", re.DOTALL).search(text, start)
        if not found:
            return None
        end = found.start()
    return start, end
