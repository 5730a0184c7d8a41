"""Walking a tree that others may be rewriting: one level at a time, by descriptor, never through a link or a mount.

A path is resolved once, at the top. Below it only names relative to an open directory are used, with O_NOFOLLOW; going
up is `..`, checked against the directory we came from. Two descriptors and no recursion, however deep the tree.
Travels to hosts: Python 3.6 syntax.
"""

import errno
import os
import stat

from opsplay.remote.spec import ModuleFailure

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
UNTOUCHED = ("/", "/boot", "/bin", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/media", "/mnt",
             "/opt", "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr", "/var", "/var/backups", "/var/cache",
             "/var/lib", "/var/lib/dpkg", "/var/lib/postgresql", "/var/mail", "/var/spool", "/usr/local")
UNTOUCHED_BELOW = ("/boot", "/bin", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr/bin",
                   "/usr/lib", "/usr/sbin", "/usr/share", "/var/lib/dpkg", "/var/lib/apt")


class Level(object):
    """One directory on the way down."""

    __slots__ = ("key", "left", "name", "names", "status")

    def __init__(self, name, status, names):
        self.name = name
        self.status = status
        self.key = (status.st_dev, status.st_ino)
        self.names = names
        self.left = len(names)  # entries that stay, counted down by who deletes


def open_root(path):
    """A descriptor of the directory at `path`, refusing links that others may have placed, and protected roots."""
    refuse_protected(_plain(path))
    real, descriptor = open_folder(path)
    try:
        refuse_protected(real)
        _refuse_same_directory(descriptor, real)
    except BaseException:
        os.close(descriptor)
        raise
    return real, descriptor


def open_folder(path):
    """(path without links, descriptor) of any directory, opened name by name, so that nobody can swap one on the way.

    Only links that root or we placed in a directory that only root or we write to are followed.
    """
    path, hops = _plain(path), 16
    while True:
        descriptor, done, rest = _walk_down(path)
        if not rest:
            return done, descriptor
        hops -= 1
        try:
            path = _past_link(descriptor, done, rest, hops)
        finally:
            os.close(descriptor)


def _walk_down(path):
    """As far as no link is in the way: (descriptor, its path, the names that are left)."""
    rest = [part for part in path.split("/") if part]
    done, descriptor = "/", os.open("/", DIRECTORY)
    while rest:
        try:
            inner = os.open(rest[0], DIRECTORY, dir_fd=descriptor)
        except OSError as problem:
            if problem.errno in (errno.ELOOP, errno.ENOTDIR):
                return descriptor, done, rest
            os.close(descriptor)
            raise ModuleFailure("%s: %s" % (os.path.join(done, rest[0]), problem.strerror), missing=problem.errno == errno.ENOENT)
        os.close(descriptor)
        descriptor, done = inner, os.path.join(done, rest.pop(0))
    return descriptor, done, rest


def _past_link(folder, done, rest, hops):
    """The path again, with the link at its first open name resolved."""
    link = os.path.join(done, rest[0])
    status, above = os.stat(rest[0], dir_fd=folder, follow_symlinks=False), os.fstat(folder)
    if not stat.S_ISLNK(status.st_mode):
        raise ModuleFailure("%s is no directory" % link)
    if hops < 0:
        raise ModuleFailure("%s: too many symbolic links" % link)
    ours = (0, os.geteuid())
    if status.st_uid not in ours or above.st_uid not in ours or above.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ModuleFailure("%s is a symbolic link that not only root can place: it is not followed" % link)
    target = os.readlink(rest[0], dir_fd=folder)
    return _plain(os.path.join(done, target, *rest[1:]))


def _plain(path):
    """`path` without dots and doubled slashes; refuses what is not absolute."""
    if not path or not os.path.isabs(path):
        raise ModuleFailure("%r is not an absolute path" % path)
    return "/" + os.path.normpath(path).lstrip("/")


def refuse_protected(path):
    if path in UNTOUCHED or (path.count("/") == 2 and path.startswith("/home/")):
        raise ModuleFailure("%s is a protected directory: name the folder below it that may be cleaned" % path)
    if any(path.startswith(root + "/") for root in UNTOUCHED_BELOW):
        raise ModuleFailure("%s belongs to the system: nothing is deleted there" % path)


def _refuse_same_directory(descriptor, path):
    """A bind mount of / somewhere else is still /."""
    here = os.fstat(descriptor)
    for root in UNTOUCHED:
        try:
            other = os.stat(root)
        except OSError:
            continue
        if (other.st_dev, other.st_ino) == (here.st_dev, here.st_ino):
            raise ModuleFailure("%s is the protected directory %s by another name" % (path, root))


def mount_id(descriptor):
    """The kernel's id of the mount a descriptor is on, or None where /proc does not tell."""
    try:
        with open("/proc/self/fdinfo/%d" % descriptor) as stream:
            for line in stream:
                if line.startswith("mnt_id:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


def mount_points():
    """Every mount point of this host as bytes (octal escapes undone)."""
    points = set()
    try:
        with open("/proc/self/mountinfo", "rb") as stream:
            for line in stream:
                points.add(_unescape(line.split(b" ")[4]))
    except OSError:
        pass
    return points


def _unescape(text):
    parts = text.split(b"\\")
    return parts[0] + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in parts[1:])


class Visitor(object):
    """What a walk calls. `folder` is a descriptor good until the call returns."""

    def visit(self, folder, name, status, levels):
        """An entry; for a directory, True means: go down."""
        raise NotImplementedError

    def leave(self, folder, level, levels):
        """Back in the parent, after everything in `level` was visited."""

    def skip(self, name, levels, reason):
        """An entry that is not followed, and why."""


class Walk(object):
    def __init__(self, descriptor, visitor, depth=None):
        self.visitor = visitor
        self.depth = depth
        self.mount = mount_id(descriptor)
        self.root = descriptor
        status = os.fstat(descriptor)
        self.device = status.st_dev
        self.levels = [Level("", status, sorted(os.listdir(descriptor), reverse=True))]
        self.here = os.dup(descriptor)

    def run(self):
        try:
            while self.levels:
                if self.levels[-1].names:
                    self._entry(self.levels[-1].names.pop())
                else:
                    self._up()
        finally:
            os.close(self.here)

    def _entry(self, name):
        try:
            status = os.stat(name, dir_fd=self.here, follow_symlinks=False)
        except OSError:
            return  # gone meanwhile
        down = self.visitor.visit(self.here, name, status, self.levels)
        if down and stat.S_ISDIR(status.st_mode) and (self.depth is None or len(self.levels) < self.depth):
            self._down(name, status)

    def _down(self, name, status):
        if status.st_dev != self.device:
            self.visitor.skip(name, self.levels, "another file system")
            return
        try:
            inner = os.open(name, DIRECTORY, dir_fd=self.here)
        except OSError as problem:
            self.visitor.skip(name, self.levels, problem.strerror)
            return
        found = os.fstat(inner)
        reason = self._reason_to_stay_out(inner, found, status)
        names = self._names(inner) if reason is None else None
        if names is None:
            os.close(inner)
            self.visitor.skip(name, self.levels, reason or "cannot be listed")
            return
        os.close(self.here)
        self.here = inner
        self.levels.append(Level(name, found, names))

    def _reason_to_stay_out(self, inner, found, status):
        if (found.st_dev, found.st_ino) != (status.st_dev, status.st_ino):
            return "changed while it was looked at"
        if mount_id(inner) != self.mount:
            return "another mount"
        return None

    @staticmethod
    def _names(descriptor):
        try:
            return sorted(os.listdir(descriptor), reverse=True)
        except OSError:
            return None

    def _up(self):
        level = self.levels.pop()
        if not self.levels:
            return
        above = self._parent(level)
        os.close(self.here)
        self.here = above
        if self._still(level):
            self.visitor.leave(self.here, level, self.levels)

    def _parent(self, level):
        """The directory we came from, or, when the tree was moved meanwhile, the deepest one still in its place."""
        above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.here)
        found = os.fstat(above)
        if (found.st_dev, found.st_ino) == self.levels[-1].key:
            return above
        os.close(above)
        self.visitor.skip(level.name, self.levels, "moved while it was walked")
        return self._descend_again()

    def _descend_again(self):
        here = os.dup(self.root)
        for number, level in enumerate(self.levels[1:], 1):
            inner = self._same(level, here)
            if inner is None:
                del self.levels[number:]
                break
            os.close(here)
            here = inner
        return here

    @staticmethod
    def _same(level, folder):
        try:
            inner = os.open(level.name, DIRECTORY, dir_fd=folder)
        except OSError:
            return None
        found = os.fstat(inner)
        if (found.st_dev, found.st_ino) == level.key:
            return inner
        os.close(inner)
        return None

    def _still(self, level):
        """Is the entry in its parent still the directory we walked?"""
        try:
            status = os.stat(level.name, dir_fd=self.here, follow_symlinks=False)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == level.key


def path_of(root, levels, name):
    """The path for a report. Deeper than anyone reads (and than the kernel resolves), the middle is left out."""
    parts = [level.name for level in levels[1:]]
    if len(parts) > 300:
        parts = parts[:3] + ["...(%d levels)..." % (len(parts) - 6)] + parts[-3:]
    return printable("/".join([root.rstrip("/")] + parts + [name]))


def printable(path):
    """A name that is no UTF-8 keeps its bytes readable."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
