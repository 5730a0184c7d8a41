"""The host's half of unarchive: says which members differ from what is there, and unpacks those."""

import fnmatch
import os
import re

from opsplay.remote.archive_members import Archive, check_link, space_left
from opsplay.remote.file_attributes import KEYS, apply_attributes, desired_attributes, observe_attributes
from opsplay.remote.spec import Flag, Listing, ModuleFailure, Path, Spec, Text
from opsplay.remote.unpacking import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List

    from opsplay.remote.archive_members import Member
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "src": Path(required=True), "dest": Path(required=True),
        "source": Text(default="body", text="Where the archive is: body, host (src, or a URL) or part."),
        "part": Text(), "creates": Path(), "list_files": Flag(default=False), "exclude": Listing(default=[], elements=Text()),
        "include": Listing(default=[], elements=Text()), "keep_newer": Flag(default=False),
        "extra_opts": Listing(default=[], elements=Text()), "validate_certs": Flag(default=True),
    },
    file_arguments=True,
)
MEANINGS = {
    "-p": "permissions", "--same-permissions": "permissions", "--preserve-permissions": "permissions", "-k": "keep_old",
    "--keep-old-files": "keep_old", "--skip-old-files": "keep_old", "-n": "keep_old", "--no-same-owner": "no_owner",
    "--same-owner": "", "--no-same-permissions": "", "-o": "", "--overwrite": "", "--wildcards": "", "-q": "",
}


def act(system: "System", args: "Args") -> "Dict[str, Any]":
    if args.creates and system.lstat(args.creates) is not None:
        return {"changed": False, "msg": "skipped, since %s exists" % args.creates, "dest": args.dest, "src": args.src}
    if not os.path.isdir(args.dest):
        raise ModuleFailure("Destination '%s' is not a directory" % args.dest, dest=args.dest)
    if args.source == "body" and system.body is None:
        return {"changed": False, "needs_content": True}
    unpack = Unpack(system, args)
    try:
        unpack.look()
        if unpack.differing and not system.check:
            unpack.unpack()
        return unpack.result()
    finally:
        unpack.target.close()


class Unpack(object):
    """One archive and one folder: looks first, then unpacks what differs."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.options = _options(args.extra_opts)
        self.archive = Archive(system, _path(system, args))
        own = os.geteuid() == 0 and not self.options.get("no_owner") and args.owner is None and args.group is None
        self.target = Target(args.dest, ownership=own, permissions=bool(self.options.get("permissions")),
                             keep_newer=args.keep_newer, keep_old=bool(self.options.get("keep_old")))
        self.differing: "Dict[str, bool]" = {}
        self.names: "List[str]" = []
        self.dressing: "List[str]" = []

    def look(self) -> "None":
        """Which members differ. The last of one name counts, as it would win."""
        left = space_left(self.args.dest)
        found: "Dict[str, bool]" = {}
        for member in self.members():
            left -= member.size
            if left < 0:
                raise ModuleFailure("the archive unpacks to more than what is free in %s" % self.args.dest)
            found[member.name] = self.target.differs(member)
        self.names = list(found)
        self.differing = {name: True for name in found if found[name]}
        self.dressing = [name for name in self.names if name not in self.differing and self._undressed(name)]

    def unpack(self) -> "None":
        for member in self.members():
            if member.name in self.differing:
                self.target.put(member)
        self.target.finish()

    def members(self) -> "Iterator[Member]":
        strip = int(self.options.get("strip") or 0)
        for member in self.archive.members():
            if not self._wanted(member.name):
                continue
            if strip:
                member.name = "/".join(member.name.split("/")[strip:])
                if not member.name:
                    continue
                if member.kind == "hardlink":
                    member.link = "/".join(member.link.split("/")[strip:])
                elif member.kind == "symlink":
                    check_link(member.name, member.link)
            if self.args.mode is not None and member.kind in ("file", "directory"):
                asked = desired_attributes(self.system, {"mode": self.args.mode}, member.name,
                                           {"mode": "%04o" % member.mode, "isdir": member.kind == "directory"})
                member.mode = int(asked.get("mode", "%04o" % member.mode), 8)
            yield member

    def _wanted(self, name: "str") -> "bool":
        return (not self.args.include or _listed(name, self.args.include)) and not _listed(name, self.args.exclude)

    def _undressed(self, name: "str") -> "bool":
        path = os.path.join(self.args.dest, name)
        observed = observe_attributes(self.system, path)
        wanted = self._attributes(path, observed)
        return any(observed.get(key) != wanted[key] for key in KEYS if key in wanted)

    def _attributes(self, path: "str", observed: "Dict[str, Any]") -> "Dict[str, Any]":
        """Owner, group and attributes; the mode has been given to the members themselves."""
        return desired_attributes(self.system, dict(self.args, mode=None), path, observed)

    def result(self) -> "Dict[str, Any]":
        if not self.system.check and (self.args.owner is not None or self.args.group is not None or self.args.attributes):
            for name in list(self.differing) + self.dressing:
                path = os.path.join(self.args.dest, name)
                apply_attributes(self.system, path, self._attributes(path, observe_attributes(self.system, path)))
        said = {"changed": bool(self.differing or self.dressing), "dest": self.args.dest, "src": self.args.src,
                "handler": self.archive.handler, "state": "directory"}
        about = observe_attributes(self.system, self.args.dest, follow=True)
        said.update((key, about.get(key)) for key in ("owner", "group", "mode", "uid", "gid"))
        said["size"] = os.stat(self.args.dest).st_size
        if self.args.list_files:
            said["files"] = self.names
        if self.system.diff and said["changed"]:
            listed = sorted(list(self.differing) + self.dressing)
            said["diff"] = {"before": "", "after": "".join(name + "\n" for name in listed), "before_header": self.args.dest,
                            "after_header": self.args.src}
        return said


def _path(system: "System", args: "Args") -> "str":
    if args.source == "part":
        return str(args.part)
    if args.source == "host":
        return _downloaded(system, args) if "://" in args.src else str(args.src)
    path = os.path.join(system.temporary(), "archive")
    system.write(path, system.body, mode=0o600)
    return path


def _downloaded(system: "System", args: "Args") -> "str":
    from opsplay.remote.http_request import ask, save

    answer = ask(args, args.src, timeout=30)
    if answer.status != 200:
        raise ModuleFailure("Failure downloading %s, %s" % (args.src, answer.message))
    path = os.path.join(system.temporary(), "archive")
    save(answer, path)
    return path


def _listed(name: "str", patterns: "List[str]") -> "bool":
    """By its name, that of a folder above it, or a glob."""
    above = name.split("/")
    parents = ["/".join(above[:count]) for count in range(1, len(above) + 1)]
    return any(fnmatch.fnmatchcase(one, text.rstrip("/")) for text in patterns for one in parents)


def _options(words: "List[str]") -> "Dict[str, Any]":
    """What of tar's and unzip's options can be honoured. Others are refused, not ignored."""
    options: "Dict[str, Any]" = {}
    words = [part for word in words for part in word.split()]
    for number, word in enumerate(words):
        strip = re.match(r"^--strip(?:-components)?(?:=(\d+))?$", word)
        if strip:
            options["strip"] = int(strip.group(1) or words[number + 1])
        elif word in MEANINGS:
            options[MEANINGS[word]] = True
        elif not (word.isdigit() and number and words[number - 1].startswith("--strip")):
            raise ModuleFailure("extra_opts cannot be honoured: %s. Known: --strip-components=N, %s"
                                % (word, ", ".join(sorted(MEANINGS))))
    return options
