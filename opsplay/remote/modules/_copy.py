"""The host's half of copy and template: put given content at a path, if it differs from what is there."""

import os
import stat

from opsplay.remote import trusted_path
from opsplay.remote.content import Content, shown_file
from opsplay.remote.edited_file import make_parents, write_with_backup
from opsplay.remote.file_attributes import KEYS, apply_attributes, desired_attributes, mode_text, observe_attributes
from opsplay.remote.spec import Flag, ModuleFailure, Path, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from opsplay.remote.perform import Change
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "dest": Path(required=True, text="Where to put it; a folder (or a name ending in /) gets a file named `name`."),
        "name": Text(text="File name to use in a folder."),
        "src": Path(text="remote_src: a file of the host; otherwise shown in the result."),
        "source": Text(default="body", text="Where the content is: body, host (src), part (another file there) or sent (ahead, to _receive)."),
        "part": Text(text="A file with the content."),
        "token": Text(text="What names the content that _receive has taken."),
        "sha1": Text(text="SHA-1 of the content; with it, the content need not be sent where dest has it already."),
        "checksum": Text(text="What the caller expects the SHA-1 to be."),
        "backup": Flag(default=False), "force": Flag(default=True), "follow": Flag(default=False),
        "validate": Text(), "directory_mode": Raw(),
    },
    file_arguments=True,
)


def observe(system: "System", args: "Args") -> "Dict[str, Any]":
    content = Content(system, args)
    if args.checksum and content.sha1 != args.checksum:
        raise ModuleFailure("Copied file does not match the expected checksum. Transfer failed.", checksum=content.sha1,
                            expected_checksum=args.checksum)
    real = destination(system, args)
    found = system.lstat(real)
    islink = found is not None and stat.S_ISLNK(found.st_mode)
    target = system.stat(real)
    if target is not None and not stat.S_ISREG(target.st_mode):
        raise ModuleFailure("%s is neither a file nor a folder" % real, dest=real)
    before = observe_attributes(system, real, attributes=bool(args.attributes)) if target is not None or islink else {}
    sha1 = content.digest_at(real, target) if target is not None else None
    if islink and sha1 == content.sha1:  # it leads to the same content: that is what was asked for
        before = observe_attributes(system, real, follow=True)
    elif islink:  # it will be replaced by a file
        before = {}
    before.update(sha1=sha1, real=real, islink=islink, exists=found is not None, size=target.st_size if target else None,
                  content=content)
    before["asked"] = _asked(system, args, real, before)
    before["shown"] = _shown(system, real, target) if system.diff and sha1 != content.sha1 else {}
    before["needed"] = content.missing and sha1 != content.sha1 and (args.force or found is None) and not system.check
    return before


def destination(system: "System", args: "Args") -> "str":
    """The file itself: in a folder by its name, behind a link with follow."""
    dest = args.dest
    if dest.endswith("/") or os.path.isdir(dest):
        name = args.name or (os.path.basename(args.src) if args.src else None)
        if not name:
            raise ModuleFailure("can not use content with a dir as dest", dest=dest)
        dest = os.path.join(dest, name)
        if os.path.isdir(dest):
            raise ModuleFailure("%s is a folder: a file cannot take its place" % dest, dest=dest)
    elif not os.path.isdir(os.path.dirname(os.path.abspath(dest))):
        said = "Destination directory %s does not exist" % os.path.dirname(os.path.abspath(dest))
        if not system.check:
            raise ModuleFailure(said, dest=dest)
        system.warn(said + ": the real run fails unless an earlier task makes it")
    return trusted_path.resolve(dest) if args.follow and os.path.islink(dest) else dest


def _asked(system: "System", args: "Args", real: "str", before: "Dict[str, Any]") -> "Dict[str, Any]":
    observed = {key: before[key] for key in KEYS + ("isdir",) if key in before}
    wanted = dict(args)
    if args.mode == "preserve" and args.source == "host":
        wanted["mode"] = mode_text(os.stat(args.src).st_mode)
    return desired_attributes(system, wanted, real, observed)


def _shown(system: "System", real: "str", target: "Any") -> "Dict[str, Any]":
    return shown_file(system, real) if target is not None else {"text": ""}


def desired(args: "Args", before: "Dict[str, Any]") -> "Dict[str, Any]":
    if before["exists"] and not args.force:
        return {}
    wanted = dict(before["asked"], sha1=before["content"].sha1)
    if before["needed"]:  # the caller has to come again with it
        return {}
    if before["islink"] and before["sha1"] != wanted["sha1"]:
        wanted["islink"] = False
    return wanted


def apply(system: "System", args: "Args", change: "Change") -> "Dict[str, Any]":
    before, result = change.before, {}  # type: Dict[str, Any], Dict[str, Any]
    path = before["real"]
    if "sha1" not in change:
        apply_attributes(system, path, change, follow=before["islink"])
        return result
    if args.dest.endswith("/"):
        _make_folder(system, args, os.path.dirname(path))
    if before["islink"]:
        system.warn("%s was a link to %s and is a file now; follow: true writes through a link" % (path, system.readlink(path)))
    asked = before["asked"]
    with before["content"].view() as data:
        copied = write_with_backup(
            system, args.backup and before["sha1"] is not None, path, data, owner=asked.get("owner"), group=asked.get("group"),
            mode=int(asked["mode"], 8) if "mode" in asked else None, unsafe=bool(args.unsafe_writes),
            validate=args.validate, links="replace")
        if copied:
            result["backup_file"] = copied
        result["md5sum"] = before["content"].md5()
    if "attributes" in change:
        apply_attributes(system, path, {"attributes": change.wanted["attributes"]})
    return result


def _make_folder(system: "System", args: "Args", folder: "str") -> "None":
    if os.path.isdir(folder):
        return
    make_parents(system, folder)
    system.mkdir(folder)
    if args.directory_mode is not None:
        apply_attributes(system, folder, desired_attributes(system, {"mode": args.directory_mode}, folder, {"isdir": True}))


def report(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "Dict[str, Any]":
    said = {"dest": before["real"], "checksum": after["sha1"], "state": "file"}
    said.update({"src": args.src} if args.src is not None else {})
    said.update((key, after[key]) for key in ("owner", "group", "mode", "uid", "gid", "size") if after.get(key) is not None)
    if before["needed"]:
        said["needs_content"] = True
    if before["exists"] and not args.force:
        said["msg"] = "file already exists"
    return said


def difference(args: "Args", before: "Dict[str, Any]", after: "Dict[str, Any]") -> "List[Dict[str, Any]]":
    """Ansible's two diffs: of the content, unless binary or large, and of the attributes."""
    parts: "List[Dict[str, Any]]" = []
    dest = before["real"]
    if before["sha1"] != after["sha1"]:
        new, old = before["content"].shown(), before["shown"]
        parts.append({"before": old.get("text", ""), "after": new.get("text", ""), "before_header": dest,
                      "after_header": args.src or dest})
        parts[0].update(("dst_" + key, value) for key, value in old.items() if key != "text")
        parts[0].update(("src_" + key, value) for key, value in new.items() if key != "text")
    differing = [key for key in KEYS if key in before["asked"] and key in before and before[key] != before["asked"][key]]
    if differing:
        parts.append({"before": {key: before[key] for key in differing},
                      "after": {key: before["asked"][key] for key in differing},
                      "before_header": "%s (file attributes)" % dest, "after_header": "%s (file attributes)" % dest})
    return parts
