"""Ways through the file system that nobody else can bend: root follows only links whose owner it trusts.

A user who owns a folder that root writes in can put a link there, at any moment, that leads to /etc. So every change is
made relative to an open folder that was found one name at a time, and a link on the way counts only if it belongs to
root, to ourselves, or to the owner of what it leads to.
"""

import contextlib
import errno
import os
import stat

from opsplay.remote.spec import ModuleFailure

MOST_LINKS = 40
_STEP = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)


def open_folder(path):
    """A descriptor of the folder, found without a link that is not trusted. Raises OSError, ModuleFailure."""
    fd = os.open("/" if path.startswith("/") else ".", os.O_DIRECTORY | os.O_CLOEXEC | os.O_RDONLY)
    waiting, links = path.split("/")[::-1], 0
    try:
        while waiting:
            name = waiting.pop()
            if name in ("", "."):
                continue
            try:
                below = os.open(name, _STEP, dir_fd=fd)
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                    raise
                target = _read_link(fd, name, path)
                links += 1
                if links > MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                waiting.extend(target.split("/")[::-1])
                below = os.open("/", _STEP) if target.startswith("/") else os.dup(fd)
            os.close(fd)
            fd = below
        return _readable(fd)
    except BaseException:
        os.close(fd)
        raise


def _readable(fd):
    """The folder opened for reading too, where that is allowed: to sync and list it."""
    try:
        readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    except OSError:
        return fd
    os.close(fd)
    return readable


def _read_link(folder, name, path):
    """What a trusted link says. The link is held open, so that what is judged is what is read."""
    link = os.open(name, _LINK, dir_fd=folder)
    try:
        found = os.fstat(link)
        if not stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        target = os.readlink("", dir_fd=link)
    finally:
        os.close(link)
    _require_trust(found, target, folder, path)
    return target


def _require_trust(found, target, folder, path):
    if os.geteuid() != 0 or found.st_uid == 0:
        return
    try:
        owner = os.stat(target, dir_fd=folder).st_uid
    except OSError:
        owner = None
    if owner != found.st_uid:
        raise ModuleFailure("%s leads through a link to %s that belongs to user %d, who does not own what it leads to; "
                            "as root it is not followed" % (path, target, found.st_uid), path=path)


@contextlib.contextmanager
def parent(path):
    """(descriptor of the folder that holds the path, the last name)."""
    folder, name = os.path.split(path.rstrip("/") or "/")
    fd = open_folder(folder or ".")
    try:
        yield fd, name or "."
    finally:
        os.close(fd)


def resolve(path):
    """The path without links, each of them trusted. What does not exist stays as it is named."""
    done, links = "/", 0
    waiting = os.path.abspath(path).split("/")[::-1]
    while waiting:
        name = waiting.pop()
        if name in ("", "."):
            continue
        if name == "..":
            done = os.path.dirname(done)
            continue
        here = os.path.join(done, name)
        try:
            found = os.lstat(here)
        except OSError:
            return os.path.join(here, *waiting[::-1])
        if not stat.S_ISLNK(found.st_mode):
            done = here
            continue
        links += 1
        if links > MOST_LINKS:
            raise ModuleFailure("%s goes through more than %d links" % (path, MOST_LINKS), path=path)
        target = os.readlink(here)
        _require_trust(found, os.path.join(done, target), None, path)
        waiting.extend(target.split("/")[::-1])
        done = "/" if target.startswith("/") else done
    return done


def read(path):
    """The bytes of a file that is reached through trusted links only; the last name may not be a link at all."""
    with parent(path) as (folder, name):
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(fd, "rb") as handle:
        return handle.read()


def chmod(path, mode):
    """Sets the bits of what is there, but of no link."""
    with parent(path) as (folder, name):
        fd = os.open(name, _LINK, dir_fd=folder)
    try:
        if stat.S_ISLNK(os.fstat(fd).st_mode):
            return
        if os.path.isdir("/proc/self/fd"):
            os.chmod("/proc/self/fd/%d" % fd, mode)  # fchmod refuses a descriptor that is only a path
        else:
            os.chmod(path, mode)
    finally:
        os.close(fd)
