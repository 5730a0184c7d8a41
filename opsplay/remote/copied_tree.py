"""A folder that a copy fills: folders, links and files as they are to be, changed only where they differ."""

import os
import stat

from opsplay.remote import trusted_path
from opsplay.remote.content import shown_bytes, shown_file
from opsplay.remote.edited_file import make_parents, write_with_backup
from opsplay.remote.file_attributes import KEYS, apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System


class Tree(object):
    """The folder at the host; gathers what changed (or in check mode would)."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.changed: "List[str]" = []
        self.needed: "List[str]" = []
        self.diffs: "List[Dict[str, Any]]" = []

    def folder(self, entry: "Dict[str, Any]") -> "None":
        path = os.path.join(self.args.dest, entry["path"]) if entry["path"] else self.args.dest.rstrip("/") or "/"
        if os.path.isdir(path):
            return
        if self.system.lstat(path) is not None:
            raise ModuleFailure("%s is in the way: a folder is to be made there" % path, dest=path)
        self._note(path, {"before": {"path": path, "state": "absent"}, "after": {"path": path, "state": "directory"}})
        if self.system.check:
            return
        make_parents(self.system, path)
        self.system.mkdir(path)
        mode = self.args.directory_mode if self.args.directory_mode is not None else entry["mode"]
        wanted = dict(self.args, mode=mode)
        apply_attributes(self.system, path, desired_attributes(self.system, wanted, path, {"isdir": True}))

    def link(self, entry: "Dict[str, Any]") -> "None":
        path = os.path.join(self.args.dest, entry["path"])
        found = self.system.lstat(path)
        if found is not None and stat.S_ISLNK(found.st_mode) and self.system.readlink(path) == entry["target"]:
            return
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise ModuleFailure("%s is in the way: a link is to be made there" % path, dest=path)
        self._note(path, {"before": {"path": path, "state": "absent" if found is None else "file"},
                          "after": {"path": path, "state": "link", "src": entry["target"]}})
        if not self.system.check:
            if found is not None:
                self.system.remove(path)
            self.system.symlink(entry["target"], path)

    def file(self, entry: "Dict[str, Any]", data: "Optional[bytes]") -> "None":
        path = os.path.join(self.args.dest, entry["path"])
        if self.args.follow:
            path = trusted_path.resolve(path)
        found = self.system.lstat(path)
        if found is not None and not self.args.force:
            return
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise ModuleFailure("%s is in the way: a file is to be put there" % path, dest=path)
        target = self.system.stat(path)
        same = target is not None and stat.S_ISREG(target.st_mode) and self.system.digest(path) == entry["sha1"]
        if same:
            self._dress(path, entry)
        elif data is None:
            self.needed.append(entry["path"])
        else:
            self._write(path, entry, data, target is not None)

    def _write(self, path: "str", entry: "Dict[str, Any]", data: "bytes", there: "bool") -> "None":
        self._note(path, self._difference(path, data, there))
        if self.system.check:
            return
        observed = observe_attributes(self.system, path) if there and not os.path.islink(path) else {}
        asked = desired_attributes(self.system, self._wanted(entry), path, observed)
        write_with_backup(self.system, self.args.backup and there, path, data, owner=asked.get("owner"), group=asked.get("group"),
                          mode=int(asked["mode"], 8) if "mode" in asked else None, unsafe=bool(self.args.unsafe_writes),
                          validate=self.args.validate, links="replace")
        if self.args.attributes:
            self._dress(path, entry)

    def _difference(self, path: "str", data: "bytes", there: "bool") -> "Dict[str, Any]":
        if not self.system.diff:
            return {}
        old = shown_file(self.system, path) if there else {"text": ""}
        new = shown_bytes(data)
        return {"before": old.get("text", ""), "after": new.get("text", ""), "before_header": path, "after_header": path}

    def _wanted(self, entry: "Dict[str, Any]") -> "Dict[str, Any]":
        return dict(self.args, mode=entry["mode"] if self.args.mode == "preserve" else self.args.mode)

    def _dress(self, path: "str", entry: "Dict[str, Any]") -> "None":
        islink = os.path.islink(path)
        observed = observe_attributes(self.system, path, follow=islink, attributes=bool(self.args.attributes))
        wanted = desired_attributes(self.system, self._wanted(entry), path, observed)
        differing = {key: wanted[key] for key in KEYS if key in wanted and wanted[key] != observed.get(key)}
        if differing:
            self._note(path, {"before": {key: observed.get(key) for key in differing}, "after": differing,
                              "before_header": path, "after_header": path})
            if not self.system.check:
                apply_attributes(self.system, path, differing, follow=islink)

    def _note(self, path: "str", difference: "Dict[str, Any]") -> "None":
        self.changed.append(path)
        if self.system.diff and difference:
            self.diffs.append(difference)
