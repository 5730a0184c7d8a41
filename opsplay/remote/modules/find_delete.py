"""Delete old files below a directory, without following links, leaving the file system or touching what is in use."""

import fnmatch
import os
import re
import stat
import time

from opsplay.remote import durations, guarded_tree, open_files
from opsplay.remote.rotated_logs import on_disk
from opsplay.remote.spec import Choice, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text

SPEC = Spec(
    args={
        "paths": Listing(required=True, aliases=("path", "name"), elements=Path(), text="Directories to clean below."),
        "patterns": Listing(default=["*"], aliases=("pattern",), text="Names to delete: shell globs."),
        "excludes": Listing(default=[], aliases=("exclude",), text="Names to keep, directories with all they hold."),
        "use_regex": Flag(default=False, text="patterns and excludes are regular expressions."),
        "age": Text(text="Older than this: 90s, 15m, 2h, 1d, 4w."),
        "age_stamp": Choice("mtime", "atime", "ctime", "newest", default="mtime",
                            text="Which time counts; newest is the latest of the three and cannot be forged by touch."),
        "size": Text(text="At least this large, or smaller with a minus: 10M, -1k."),
        "file_type": Choice("file", "directory", "link", "any", default="file", aliases=("type",),
                            text="What to delete. A directory goes with everything in it, when all of it is old enough."),
        "recurse": Flag(default=True, text="Look in directories below."),
        "depth": Integer(text="How many levels to look at; 1 is the directory itself."),
        "hidden": Flag(default=True, text="Names that begin with a dot, too."),
        "empty_directories": Flag(default=False, text="Also remove old directories that hold nothing any more."),
        "keep": Integer(default=0, text="Keep this many of the newest matches below each path."),
        "missing": Choice("ok", "fail", default="ok", text="What a path that does not exist means."),
        "list_limit": Integer(default=1000, text="How many paths the result names; counts are always whole."),
    },
    returns={
        "deleted": Listing(text="Paths deleted (in check mode: that would be)."), "count": Integer(), "examined": Integer(),
        "matched": Integer(), "bytes_freed": Integer(text="Bytes of files whose last name was removed."),
        "kept": Listing(text="Matches left alone: path and reason."), "skipped_paths": Listing(),
        "errors": Listing(text="Paths that could not be deleted, and why."),
    },
    examples=(
        "find_delete: {paths: [/tmp, /var/tmp], age: 1d}",
        "find_delete: {paths: /var/log/app, patterns: ['*.gz', '*.jsonl'], age: 30d}",
        "find_delete: {paths: /tmp, patterns: 'playwright*', file_type: directory, depth: 1, age: 1d}",
        "find_delete: {paths: /backups/daily, patterns: '*.dump', keep: 7}",
    ),
    notes=("Sockets, pipes, devices, open files, mount points and other file systems are always left alone.",
           "System directories (/, /etc, /usr, /home and the like) are refused."),
)


def act(system, args):
    _refuse_everything(args)
    tally = Tally(args.list_limit)
    in_use = open_files.scan()
    if in_use.blind:
        system.warn("%d processes of other users did not show their open files" % in_use.blind)
    for path in args.paths:
        _clean(system, args, path, tally, in_use)
    result = tally.result()
    if system.diff and tally.deleted:
        before = "".join(path + "\n" for path in result["deleted"])
        result["diff"] = {"before": before, "after": "", "before_header": "there", "after_header": "kept"}
    if tally.errors:
        raise ModuleFailure("%d of the matches could not be deleted: %s" % (len(tally.errors), tally.errors[0]["reason"]),
                            **result)
    return result


def _refuse_everything(args):
    narrow = args.age or args.size or args.keep or [pattern for pattern in args.patterns if pattern not in ("*", ".*")]
    if not narrow:
        raise ModuleFailure("nothing narrows the choice: give age, patterns, size or keep")


def _clean(system, args, path, tally, in_use):
    try:
        root, descriptor = guarded_tree.open_root(path)
    except ModuleFailure as problem:
        if not problem.result.pop("missing", False) or args.missing == "fail":
            raise
        tally.skipped_paths.append(path)
        return
    except OSError as problem:
        raise ModuleFailure("%s: %s" % (path, problem.strerror))
    try:
        rule = Rule(args, root)
        if args.keep:
            survey = Survey(rule)
            guarded_tree.Walk(descriptor, survey, rule.depth).run()
            rule.keep_newest(survey.found, args.keep)
        guarded_tree.Walk(descriptor, Cleaner(rule, tally, in_use, system.check), rule.depth).run()
    finally:
        os.close(descriptor)


class Tally(object):
    """What was done, for the result; lists are capped, counts are not."""

    def __init__(self, limit):
        self.limit = limit
        self.deleted = []
        self.kept = []
        self.errors = []
        self.skipped_paths = []
        self.count = self.examined = self.matched = self.bytes_freed = self.kept_count = 0

    def gone(self, path, freed):
        self.count += 1
        self.bytes_freed += freed
        if len(self.deleted) < self.limit:
            self.deleted.append(path)

    def keep(self, path, reason):
        self.kept_count += 1
        if len(self.kept) < self.limit:
            self.kept.append({"path": path, "reason": reason})

    def result(self):
        return {
            "changed": self.count > 0, "deleted": sorted(self.deleted), "count": self.count, "examined": self.examined,
            "matched": self.matched, "bytes_freed": self.bytes_freed, "kept": self.kept, "kept_count": self.kept_count,
            "skipped_paths": self.skipped_paths, "errors": self.errors,
            "truncated": self.count > len(self.deleted) or self.kept_count > len(self.kept),
        }


class Rule(object):
    """Which entries are asked for; pure but for the clock read once."""

    def __init__(self, args, root):
        self.args = args
        self.root = root
        self.now = time.time()
        self.age = durations.seconds(args.age, "age")
        self.size = durations.size(args.size, "size")
        self.depth = 1 if not args.recurse else args.depth
        self.names = _matcher(args.patterns, args.use_regex)
        self.excluded = _matcher(args.excludes, args.use_regex)
        self.spared = set()  # (device, inode, name) kept by `keep`
        self.mounts = _mounts_below(root)

    def stamp(self, status):
        times = {"mtime": status.st_mtime, "atime": status.st_atime, "ctime": status.st_ctime}
        return max(times.values()) if self.args.age_stamp == "newest" else times[self.args.age_stamp]

    def old(self, status):
        if self.age is None:
            return True
        past = self.now - self.stamp(status)
        return past >= self.age if self.age >= 0 else past <= -self.age

    def is_excluded(self, name):
        return self.excluded(name) or (name.startswith(".") and not self.args.hidden)

    def asks_for(self, name, status):
        return self._right_kind(status.st_mode) and self._right_size(status) and self.names(name) and self.old(status)

    def _right_kind(self, mode):
        if self.args.file_type == "directory":
            return stat.S_ISDIR(mode)
        if self.args.file_type == "link":
            return stat.S_ISLNK(mode)
        return self.args.file_type == "any" or not (stat.S_ISDIR(mode) or stat.S_ISLNK(mode))

    def _right_size(self, status):
        if self.size is None or stat.S_ISDIR(status.st_mode):
            return True
        return status.st_size >= self.size if self.size >= 0 else status.st_size <= -self.size

    def keep_newest(self, found, count):
        found.sort(reverse=True)
        self.spared = {entry[1] for entry in found[:count]}


def _matcher(patterns, use_regex):
    """A name test; fnmatch is case-sensitive here, as file names are."""
    forms = patterns if use_regex else [fnmatch.translate(pattern) for pattern in patterns]
    try:
        tests = [re.compile(form, re.DOTALL) for form in forms]
    except re.error as problem:
        raise ModuleFailure("not a regular expression: %s" % problem)
    return lambda name: any(test.match(name) for test in tests)


def _mounts_below(root):
    prefix = os.fsencode(root.rstrip("/") + "/")
    return {os.fsdecode(point) for point in guarded_tree.mount_points() if point.startswith(prefix)}


class Survey(guarded_tree.Visitor):
    """First pass for `keep`: every match with its time."""

    def __init__(self, rule):
        self.rule = rule
        self.found = []

    def visit(self, folder, name, status, levels):
        if self.rule.is_excluded(name):
            return False
        if self.rule.asks_for(name, status):
            self.found.append((self.rule.stamp(status), (status.st_dev, status.st_ino, name)))
            return self.rule.args.file_type == "file"
        return True


class Cleaner(guarded_tree.Visitor):
    def __init__(self, rule, tally, in_use, check):
        self.rule = rule
        self.tally = tally
        self.in_use = in_use
        self.check = check

    def visit(self, folder, name, status, levels):
        self.tally.examined += 1
        if self.rule.is_excluded(name):
            return False
        if not self.rule.asks_for(name, status):
            return stat.S_ISDIR(status.st_mode)
        self.tally.matched += 1
        path = guarded_tree.path_of(self.rule.root, levels, name)
        if (status.st_dev, status.st_ino, name) in self.rule.spared:
            self.tally.keep(path, "one of the newest %d" % self.rule.args.keep)
            return False
        reason = self._reason_to_keep(path, status)
        if reason:
            self.tally.keep(path, reason)
            return False
        if stat.S_ISDIR(status.st_mode):
            return self._directory(folder, name, status, path, levels)
        self._remove(folder, name, status, path, levels[-1])
        return False

    def _reason_to_keep(self, path, status):
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return "a socket, pipe or device"
        if path in self.rule.mounts:
            return "a mount point"
        holders = () if stat.S_ISLNK(status.st_mode) else self.in_use.names(status)
        return "in use by " + ", ".join(holders[:3]) if holders else None

    def _remove(self, folder, name, status, path, level):
        freed = on_disk(status) if status.st_nlink == 1 and stat.S_ISREG(status.st_mode) else 0
        if not self.check and not self._unlink(folder, name, path):
            return
        level.left -= 1
        self.tally.gone(path, freed)

    def _unlink(self, folder, name, path):
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return False
        except OSError as problem:
            self._problem(path, problem)
            return False
        return True

    def _problem(self, path, problem):
        if isinstance(problem, IsADirectoryError) or problem.errno in (16, 39):  # EBUSY, ENOTEMPTY
            self.tally.keep(path, "changed while it was looked at")
        else:
            self.tally.errors.append({"path": path, "reason": problem.strerror})

    def _directory(self, folder, name, status, path, levels):
        """A whole directory: first look at everything in it, then delete it from the inside."""
        try:
            inner = os.open(name, guarded_tree.DIRECTORY, dir_fd=folder)
        except OSError as problem:
            self.tally.keep(path, problem.strerror)
            return False
        try:
            if not self._is_same(inner, status, folder):
                self.tally.keep(path, "changed while it was looked at")
                return False
            inspection = Inspection(self.rule, self.in_use, path)
            guarded_tree.Walk(inner, inspection).run()
            if inspection.reason:
                self.tally.keep(path, inspection.reason)
                return False
            if not self.check:
                guarded_tree.Walk(inner, Demolition()).run()
        finally:
            os.close(inner)
        if not self.check and not self._rmdir(folder, name, path):
            return False
        levels[-1].left -= 1
        self.tally.gone(path, inspection.size)
        return False

    def _is_same(self, inner, status, folder):
        found = os.fstat(inner)
        same = (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino)
        return same and guarded_tree.mount_id(inner) == guarded_tree.mount_id(folder)

    def _rmdir(self, folder, name, path):
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError as problem:
            self._problem(path, problem)
            return False
        return True

    def leave(self, folder, level, levels):
        if not self.rule.args.empty_directories or level.left or not self.rule.old(level.status):
            return
        path = guarded_tree.path_of(self.rule.root, levels, level.name)
        if self.in_use.of(level.status) or self.rule.is_excluded(level.name):
            return
        if self.check or self._rmdir(folder, level.name, path):
            levels[-1].left -= 1
            self.tally.gone(path, 0)

    def skip(self, name, levels, reason):
        self.tally.keep(guarded_tree.path_of(self.rule.root, levels, name), reason)


class Inspection(guarded_tree.Visitor):
    """Is everything below free to go? Stops adding up at the first reason against it."""

    def __init__(self, rule, in_use, path):
        self.rule = rule
        self.in_use = in_use
        self.path = path
        self.size = 0
        self.reason = ""

    def visit(self, folder, name, status, levels):
        if self.reason:
            return False
        kind = stat.S_IFMT(status.st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            self.reason = "holds a socket, pipe or device"
        elif kind != stat.S_IFLNK and self.in_use.of(status):
            self.reason = "holds something in use by " + self.in_use.names(status)[0]
        elif self.rule.age is not None and kind == stat.S_IFREG and not self.rule.old(status):
            self.reason = "holds something newer"
        elif self.rule.mounts and guarded_tree.path_of(self.path, levels, name) in self.rule.mounts:
            self.reason = "holds a mount point"
        elif self.rule.excluded(name):
            self.reason = "holds something excluded"
        if kind == stat.S_IFREG and status.st_nlink == 1:
            self.size += on_disk(status)
        return not self.reason

    def skip(self, name, levels, reason):
        self.reason = self.reason or reason


class Demolition(guarded_tree.Visitor):
    """Delete from the inside; what cannot go makes the last rmdir fail, which is then reported."""

    def visit(self, folder, name, status, levels):
        if stat.S_ISDIR(status.st_mode):
            return True
        try:
            os.unlink(name, dir_fd=folder)
        except OSError:
            pass
        return False

    def leave(self, folder, level, levels):
        try:
            os.rmdir(level.name, dir_fd=folder)
        except OSError:
            pass
