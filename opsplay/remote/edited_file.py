"""One text file and its attributes as the state that lineinfile, blockinfile, replace and ini_file keep."""

import os

from opsplay.remote import trusted_path
from opsplay.remote.file_attributes import KEYS, apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import ModuleFailure
from opsplay.remote.text_lines import decoded, encoded, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System


def observe_text(system: "System", args: "Args", path: "str") -> "Dict[str, Any]":
    """content (None where there is no file), attributes, and what the arguments ask of them. Links are followed."""
    real = trusted_path.resolve(path)
    if os.path.isdir(real):
        raise ModuleFailure("Path %s is a directory !" % path, rc=256)
    before = observe_attributes(system, real, attributes=bool(args.get("attributes")))
    before["content"] = decoded(trusted_path.read(real), args.get("encoding") or "utf-8") if before else None
    before["asked"] = desired_attributes(system, args, real, {key: before[key] for key in before if key != "content"})
    before["real"] = real
    return before


def require_file(path: "str", before: "Dict[str, Any]", create: "bool", called: "str" = "Path") -> "None":
    if before["content"] is None and not create:
        raise ModuleFailure("%s %s does not exist !" % (called, path), rc=257)


def desired_text(before: "Dict[str, Any]", content: "Optional[str]") -> "Dict[str, Any]":
    """The state with this content; None leaves a missing file missing."""
    if content is None:
        return {}
    return dict(before["asked"], content=content)


def apply_text(system: "System", args: "Args", change: "Change") -> "Dict[str, Any]":
    """Write what changed; gives the path of the backup, under both names that Ansible's modules use."""
    path = change.before["real"]
    if "content" not in change:
        apply_attributes(system, path, change)
        return {}
    if change.before["content"] is None:
        make_parents(system, path)
    wanted = change.before["asked"]
    mode = int(wanted["mode"], 8) if "mode" in wanted else None
    copied = write_with_backup(
        system, bool(args.get("backup")) and change.before["content"] is not None, path,
        encoded(change.wanted["content"], args.get("encoding") or "utf-8"), mode=mode, owner=wanted.get("owner"),
        group=wanted.get("group"), unsafe=bool(args.get("unsafe_writes")), validate=args.get("validate"))
    if "attributes" in change:
        apply_attributes(system, path, {"attributes": change.wanted["attributes"]})
    return {"backup": copied, "backup_file": copied} if copied else {}


def write_with_backup(system: "System", backup: "bool", path: "str", data: "Any", **options: "Any") -> "str":
    """The path of the backup, or "". A write that fails leaves none behind: on a full disk they would pile up."""
    copied = system.backup(path) if backup else ""
    try:
        system.write(path, data, **options)
    except BaseException:
        if copied:
            system.remove(copied)
        raise
    return copied


def make_parents(system: "System", path: "str") -> "None":
    """The folders above a path, as far as they are missing."""
    folder = os.path.dirname(os.path.abspath(path))
    missing = []
    while not os.path.isdir(folder) and folder != "/":
        missing.append(folder)
        folder = os.path.dirname(folder)
    for one in reversed(missing):
        try:
            system.mkdir(one)
        except OSError as error:
            raise ModuleFailure("Error creating %s (%s)" % (one, error))


def text_difference(path: "str", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "List[Dict[str, Any]]":
    """Ansible's two diffs: of the content and of the attributes."""
    old, new = before["content"], after["content"]
    content = {"before": shown(old), "after": shown(new), "before_header": "%s (content)" % path,
               "after_header": "%s (content)" % path}
    differing = [key for key in KEYS if key in before["asked"] and before.get(key) != after.get(key) and old is not None]
    attributes = {"before": {key: before.get(key) for key in differing}, "after": {key: after.get(key) for key in differing},
                  "before_header": "%s (file attributes)" % path, "after_header": "%s (file attributes)" % path}
    return [content, attributes] if differing else [content]


def shown(text: "Optional[str]") -> "str":
    return printable(encoded(text)) if text is not None else ""
