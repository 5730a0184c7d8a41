"""Find files by name, age, size, kind, mode or content."""

import fnmatch
import os
import re
import time

from opsplay.remote.file_facts import described
from opsplay.remote.find_filters import age_matches, kind_matches, mode_matches, seconds_of, size_matches, size_of
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Path, Raw, Spec, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SPEC = Spec(
    args={
        "paths": Listing(elements=Path(), required=True, aliases=("name", "path"), text="Folders to look in."),
        "patterns": Listing(default=[], elements=Text(), aliases=("pattern",), text="Names: globs, or regexes."),
        "excludes": Listing(elements=Text(), aliases=("exclude",), text="Names to leave out."),
        "use_regex": Flag(default=False, text="patterns and excludes are regular expressions."),
        "contains": Text(text="A regex that a line of the file must begin with."),
        "read_whole_file": Flag(default=False, text="Search contains anywhere in the whole file."),
        "encoding": Text(text="How to decode files for contains; UTF-8 where not given."),
        "age": Text(text="At least this old (1d, 2w, 30m); negative: at most."),
        "age_stamp": Choice("atime", "ctime", "mtime", default="mtime", text="The time that age compares."),
        "size": Text(text="At least this big (10m, 1g); negative: at most."),
        "mode": Raw(text="Permissions, octal or symbolic."),
        "exact_mode": Flag(default=True, text="mode must be equal; false: it is the least that must be there."),
        "file_type": Choice("any", "directory", "file", "link", default="file", text="The kind to give."),
        "recurse": Flag(default=False, text="Go down into folders."),
        "depth": Integer(text="How many levels, with recurse."),
        "hidden": Flag(default=False, text="Also names that begin with a dot."),
        "follow": Flag(default=False, text="Go through links to folders."),
        "get_checksum": Flag(default=False, text="Give checksums of files."),
        "checksum_algorithm": Choice("md5", "sha1", "sha224", "sha256", "sha384", "sha512", default="sha1",
                                     aliases=("checksum", "checksum_algo"), text="How to compute them."),
        "limit": Integer(text="Stop after this many."),
    },
    returns={"files": Listing(), "matched": Integer(), "examined": Integer(), "skipped_paths": Raw(), "msg": Text()},
    examples=("find: {paths: /var/log, patterns: '*.gz', age: 4w, size: 10m, recurse: true}",),
)


class Search(object):
    """The filters of one call, compiled once, and what was seen."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.now = time.time()
        self.age = seconds_of(args.age)
        self.size = size_of(args.size)
        self.wanted = _names(args.patterns or [".*" if args.use_regex else "*"], args.use_regex)
        self.unwanted = _names(args.excludes or [], args.use_regex)
        self.content = _regex(args.contains) if args.contains else None
        self.examined = 0
        self.skipped: "Dict[str, str]" = {}

    def under(self, top: "str") -> "Iterator[Dict[str, Any]]":
        for folder, folders, files in os.walk(top, onerror=self._refused, followlinks=self.args.follow):
            self.examined += len(folders) + len(files)
            if self.args.depth and _level(top, folder) >= self.args.depth:  # looked at as Ansible does, and left alone
                del folders[:]
                continue
            for name in sorted(files) + sorted(folders):
                entry = self._matching(top, os.path.normpath(os.path.join(folder, name)), name)
                if entry is not None:
                    yield entry
            if not self.args.recurse:
                del folders[:]
            folders.sort()

    def _refused(self, error: "OSError") -> "None":
        self.skipped[str(error.filename)] = str(error)

    def _matching(self, top: "str", path: "str", name: "str") -> "Optional[Dict[str, Any]]":
        if (name.startswith(".") and not self.args.hidden) or not self._named(name):
            return None
        found = self.system.lstat(path)
        if found is None or not self._fits(top, path, found):
            return None
        entry = described(path, found)
        if self.args.get_checksum and entry["isreg"]:
            entry["checksum"] = self.system.digest(path, self.args.checksum_algorithm)
        return entry

    def _named(self, name: "str") -> "bool":
        return any(test(name) for test in self.wanted) and not any(test(name) for test in self.unwanted)

    def _fits(self, top: "str", path: "str", found: "os.stat_result") -> "bool":
        return (kind_matches(found, self.args.file_type)
                and age_matches(found, self.age, self.args.age_stamp, self.now)
                and size_matches(found, self.size, self.args.file_type)
                and mode_matches(found, self.args.mode, self.args.exact_mode)
                and self._contains(top, path))

    def _contains(self, top: "str", path: "str") -> "bool":
        if self.content is None or self.args.file_type != "file":
            return True
        encoding, errors = (self.args.encoding, "strict") if self.args.encoding else ("utf-8", "surrogateescape")
        try:
            with open(path, encoding=encoding, errors=errors) as handle:
                if self.args.read_whole_file:
                    return bool(self.content.search(handle.read()))
                return any(self.content.match(line) for line in handle)
        except OSError as error:
            self.skipped[path] = str(error)
        except UnicodeDecodeError:
            self.skipped[top] = "Failed to read the file %s due to an encoding error. current encoding: %s" % (path, encoding)
        except LookupError as error:
            self.skipped[top] = str(error)
        return False


def _level(top: "str", folder: "str") -> "int":
    return 0 if folder == top else os.path.relpath(folder, top).count(os.sep) + 1


def _names(patterns: "List[str]", regex: "bool") -> "List[Callable[[str], Any]]":
    return [_regex(text if regex else fnmatch.translate(text)).match for text in patterns]


def _regex(text: "str") -> "Any":
    try:
        return re.compile(text)
    except re.error as error:
        raise ModuleFailure("not a regular expression: %s: %s" % (text, error))


def read(system: "System", args: "Args") -> "Dict[str, Any]":
    search = Search(system, args)
    files: "List[Dict[str, Any]]" = []
    for top in args.paths:
        top = os.path.normpath(top)
        if not os.path.isdir(top):
            search.skipped[top] = "'%s' is not a directory" % top
            continue
        for entry in search.under(top):
            files.append(entry)
            if args.limit and len(files) >= args.limit:
                break
        if args.limit and len(files) >= args.limit:
            break
    for path, reason in sorted(search.skipped.items()):
        system.warn("Skipped '%s' path due to this access issue: %s" % (path, reason))
    said = "Not all paths examined, check warnings for details" if search.skipped else "All paths examined"
    return {"files": files, "matched": len(files), "examined": search.examined, "skipped_paths": search.skipped,
            "msg": said}
