"""The files of one log: the live one and its rotated copies; renaming, copying and compressing them without a loss.

Everything happens by name inside an open directory, never through a link, never over an existing file, so that
whoever owns the log's directory cannot lead root elsewhere. Travels to hosts: Python 3.6 syntax.
"""

import errno
import gzip
import os
import re
import stat
import time

from opsplay.remote.spec import ModuleFailure

CHUNK = 1 << 20
PART = ".part"  # unfinished compression; worthless after a crash, its source is still there
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
ROTATED = re.compile(r"^(?P<log>.+?)[.-](?P<suffix>\d{8}-\d{6}(?:-\d+)?|\d{8}|\d{1,4})(?P<gz>\.gz)?$")


class Rotated(object):
    """One rotated copy."""

    __slots__ = ("compressed", "mtime", "name", "size", "suffix")

    def __init__(self, name, suffix, compressed, size, mtime):
        self.name = name
        self.suffix = suffix
        self.compressed = compressed
        self.size = size
        self.mtime = mtime

    @property
    def number(self):
        return int(self.suffix) if len(self.suffix) < 8 else None

    @property
    def when(self):
        """When it was rotated: from its name, else its last line."""
        try:
            return time.mktime(time.strptime(self.suffix[:15], "%Y%m%d-%H%M%S"))
        except ValueError:
            return self.mtime


def is_rotated(name):
    return ROTATED.match(name) is not None or name.endswith((".gz", PART))


def rotated_of(folder, log):
    """The rotated copies of `log`, newest first."""
    found = []
    for name in os.listdir(folder):
        match = ROTATED.match(name)
        if not match or match.group("log") != log:
            continue
        status = status_of(folder, name)
        if status is not None and stat.S_ISREG(status.st_mode):
            found.append(Rotated(name, match.group("suffix"), bool(match.group("gz")), status.st_size, status.st_mtime))
    if all(copy.number is not None for copy in found):
        return sorted(found, key=lambda copy: copy.number)
    return sorted(found, key=lambda copy: copy.mtime, reverse=True)


def status_of(folder, name):
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def recover(folder, log, check):
    """Finish what a crash left: partial compressions go, a copy that is there twice stays once. Returns the names removed."""
    removed = []
    for name in sorted(os.listdir(folder)):
        if name.startswith(log + ".") and name.endswith(".gz" + PART):
            removed.append(name)
        elif name.endswith(".gz") and _is_leftover(folder, log, name):
            removed.append(name[:-3])
    if not check:
        for name in removed:
            os.unlink(name, dir_fd=folder)
    return removed


def _is_leftover(folder, log, packed):
    """Crashed between the rename of the compressed copy and the removal of the plain one: both hold the same."""
    match = ROTATED.match(packed)
    if not match or match.group("log") != log or status_of(folder, packed[:-3]) is None:
        return False
    try:
        with open(os.open(packed, READ, dir_fd=folder), "rb") as one, open(os.open(packed[:-3], READ, dir_fd=folder), "rb") as other:
            return _same(gzip.GzipFile(fileobj=one), other)
    except (OSError, EOFError):
        return False


def _same(one, other):
    while True:
        left, right = one.read(CHUNK), other.read(CHUNK)
        if left != right:
            return False
        if not left:
            return True


def free_name(folder, log, style, now):
    """The name the live file gets. Two rotations in a second get different ones."""
    if style == "number":
        return log + ".1"
    base = "%s.%s" % (log, time.strftime("%Y%m%d-%H%M%S", time.localtime(now)))
    name, count = base, 1
    while status_of(folder, name) is not None or status_of(folder, name + ".gz") is not None:
        name = "%s-%d" % (base, count)
        count += 1
    return name


def shift_numbers(folder, log):
    """log.2 -> log.3, log.1 -> log.2, up to the first gap (a crash in the middle leaves one, the next run goes on there)."""
    taken = {}
    for copy in rotated_of(folder, log):
        if copy.number is not None:
            taken.setdefault(copy.number, []).append(copy)
    gap = 1
    while gap in taken:
        gap += 1
    for number in range(gap - 1, 0, -1):
        for copy in taken[number]:
            target = "%s.%d%s" % (log, number + 1, ".gz" if copy.compressed else "")
            if status_of(folder, target) is not None:
                raise ModuleFailure("%s appeared while %s was to become it: nothing was rotated" % (target, copy.name))
            os.rename(copy.name, target, src_dir_fd=folder, dst_dir_fd=folder)


def move(folder, old, new):
    """Rename, but never over something: a link to the new name fails where there is one."""
    try:
        os.link(old, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK) or status_of(folder, new) is not None:
            raise
        os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)  # a file system without hard links
        return
    os.unlink(old, dir_fd=folder)


def swap_out(folder, log, new, status):
    """The live file gets its new name and an empty one takes its place, with its owner, mode and ACL."""
    os.rename(log, new, src_dir_fd=folder, dst_dir_fd=folder)
    try:
        fresh = os.open(log, CREATE, 0o600, dir_fd=folder)
    except FileExistsError:
        return  # the writer was faster
    except OSError:
        if status_of(folder, log) is None:
            os.rename(new, log, src_dir_fd=folder, dst_dir_fd=folder)
        raise
    try:
        like(fresh, status, os.open(new, READ, dir_fd=folder))
    finally:
        os.close(fresh)
    os.fsync(folder)


def like(fresh, status, source):
    """Owner, mode and extended attributes (ACL, SELinux) of another file; closes `source`."""
    try:
        if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(fresh, status.st_uid, status.st_gid)
        os.fchmod(fresh, stat.S_IMODE(status.st_mode))
        for name in os.listxattr(source):
            os.setxattr(fresh, name, os.getxattr(source, name))
    except OSError as problem:
        if problem.errno not in (errno.EOPNOTSUPP, errno.ENODATA, errno.EPERM):
            raise
    finally:
        os.close(source)


def copy_and_truncate(folder, log, new, status):
    """For a writer that cannot reopen. Returns (bytes copied, seconds between the last look and the cut, bytes a second)."""
    live = os.open(log, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        copy = os.open(new, CREATE, 0o600, dir_fd=folder)
        try:
            started = time.monotonic()
            copied = _copy(live, copy)
            like(copy, status, os.dup(live))
            os.fsync(copy)
            grown = _copy(live, copy)
            looked = time.monotonic()
            os.ftruncate(live, 0)
            window = time.monotonic() - looked
        except OSError:
            os.unlink(new, dir_fd=folder)
            raise
        finally:
            os.close(copy)
    finally:
        os.close(live)
    return copied + grown, window, grown / max(looked - started, 1e-6)


def _copy(source, target):
    total = 0
    while True:
        data = os.read(source, CHUNK)
        if not data:
            return total
        total += len(data)
        while data:
            data = data[os.write(target, data):]


def compress(folder, name, level):
    """name -> name.gz. The plain file stays until the compressed one is whole and on the disk. Returns bytes saved."""
    source = os.open(name, READ, dir_fd=folder)
    try:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ModuleFailure("%s is not a plain file with one name: not compressed" % name)
        size = _pack(folder, source, name + ".gz" + PART, status, level)
    finally:
        os.close(source)
    if size is None:
        return None
    move(folder, name + ".gz" + PART, name + ".gz")
    os.fsync(folder)
    os.unlink(name, dir_fd=folder)
    return max(0, on_disk(status) - size)


def on_disk(status):
    """Bytes a file takes, where it has holes; tiny ones may live in their inode."""
    return status.st_size if status.st_size <= 4096 else min(status.st_size, status.st_blocks * 512)


def _pack(folder, source, part, status, level):
    """The compressed size, or None where the source grew meanwhile."""
    if status_of(folder, part) is not None:
        os.unlink(part, dir_fd=folder)
    target = os.open(part, CREATE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(os.dup(target), "wb") as raw, gzip.GzipFile("", "wb", level, raw, status.st_mtime) as packed:
            for chunk in iter(lambda: os.read(source, CHUNK), b""):
                packed.write(chunk)
        like(target, status, os.dup(source))
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(target)
        if os.fstat(source).st_size == status.st_size:
            return os.fstat(target).st_size
        os.unlink(part, dir_fd=folder)
        return None
    except BaseException:
        os.unlink(part, dir_fd=folder)
        raise
    finally:
        os.close(target)
