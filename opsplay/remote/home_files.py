"""Files in a user's own folders, written by root: every step goes through an open folder, and no link is followed.

The user owns the parents and could swap one for a link at any moment (CVE-2024-9902); names relative to an open
folder cannot be led elsewhere.
"""

import errno
import os
import stat

from opsplay.remote.spec import ModuleFailure

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder(object):
    """An open folder. Use it in a `with`."""

    def __init__(self, descriptor, path):
        self._descriptor = descriptor
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._descriptor)

    def enter(self, name):
        """The folder `name` in this one, None where it is not there. A link is refused."""
        try:
            return Folder(os.open(name, FOLDER, dir_fd=self._descriptor), os.path.join(self.path, name))
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise self._refusal(name, error)

    def require(self, name):
        """The folder `name`, which was there a moment ago."""
        inner = self.enter(name)
        if inner is None:
            raise ModuleFailure("%s was taken away while it was worked on" % os.path.join(self.path, name))
        return inner

    def make(self, name, mode, uid, gid):
        """Make a folder and hand it to its owner."""
        try:
            os.mkdir(name, 0o700, dir_fd=self._descriptor)
        except OSError as error:
            raise self._refusal(name, error)
        self.own(name, mode, uid, gid)

    def status(self, name=None):
        """What lstat says of an entry, or of the folder itself; None where it is not there."""
        if name is None:
            return os.fstat(self._descriptor)
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise

    def read(self, name):
        """The file's bytes, None where it is not there. A link or anything but a file is refused."""
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
                                 dir_fd=self._descriptor)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise self._refusal(name, error)
        with os.fdopen(descriptor, "rb") as source:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ModuleFailure("%s is not a regular file" % os.path.join(self.path, name))
            return source.read()

    def write(self, name, data, mode, uid, gid):
        """Replace the file at once; it is old or new at any moment."""
        temporary = ".%s.opsplay-%d" % (name, os.getpid())
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600,
                                 dir_fd=self._descriptor)
        except OSError as error:
            raise self._refusal(temporary, error)
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(data)
                target.flush()
                os.fchown(descriptor, uid, gid)
                os.fchmod(descriptor, mode)
                os.fsync(descriptor)
            os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except OSError as error:
            self._remove(temporary)
            raise self._refusal(name, error)
        except BaseException:
            self._remove(temporary)
            raise
        os.fsync(self._descriptor)

    def own(self, name, mode, uid, gid):
        """Owner and permissions of a folder in this one."""
        with self.require(name) as inner:
            os.fchown(inner._descriptor, uid, gid)
            os.fchmod(inner._descriptor, mode)

    def _remove(self, name):
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno != errno.ENOENT:  # its owner may have been quicker
                raise

    def _refusal(self, name, error):
        path = os.path.join(self.path, name)
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return ModuleFailure("%s is a symbolic link or no folder; links that a user controls are not followed" % path)
        return ModuleFailure("cannot use %s: %s" % (path, error.strerror))


def open_folder(path):
    """The folder at a path whose parents belong to the system; None where it is not there."""
    try:
        return Folder(os.open(path, FOLDER), path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return Folder(os.open(os.path.realpath(path), FOLDER), path)  # a home may be a link that root made
        raise ModuleFailure("cannot open the folder %s: %s" % (path, error.strerror))


def walk(start, names, owner=None):
    """The open folder that `names` lead to from `start`, None where one is not there.

    `owner` is (uid, gid) where missing folders are to be made.
    """
    folder = open_folder(start)
    for name in names:
        if folder is None:
            return None
        with folder:
            inner = folder.enter(name)
            if inner is None and owner:
                folder.make(name, 0o700, owner[0], owner[1])
                inner = folder.require(name)
        folder = inner
    return folder


def copy_tree(source, target, uid, gid, umask):
    """Copy a skeleton into an open, still private folder; links are copied as links."""
    for entry in sorted(os.listdir(source)):
        path = os.path.join(source, entry)
        found = os.lstat(path)
        mode = stat.S_IMODE(found.st_mode) & ~umask
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(path), entry, dir_fd=target._descriptor)
            os.chown(entry, uid, gid, dir_fd=target._descriptor, follow_symlinks=False)
        elif stat.S_ISDIR(found.st_mode):
            target.make(entry, 0o700, 0, 0)
            with target.enter(entry) as inner:
                copy_tree(path, inner, uid, gid, umask)
                os.fchown(inner._descriptor, uid, gid)
                os.fchmod(inner._descriptor, mode)
        elif stat.S_ISREG(found.st_mode):
            with open(path, "rb") as content:
                target.write(entry, content.read(), mode, uid, gid)


def make_home(path, skeleton, uid, gid, umask, mode):
    """A new home: made by root, filled, and only then handed over. `umask` is for what the skeleton holds."""
    parent = os.path.dirname(path.rstrip("/"))
    if parent and not os.path.isdir(parent):
        os.makedirs(parent, 0o755)
    os.mkdir(path, 0o700)
    with open_folder(path) as home:
        if skeleton and os.path.isdir(skeleton):
            copy_tree(skeleton, home, uid, gid, umask)
        os.fchown(home._descriptor, uid, gid)
        os.fchmod(home._descriptor, mode)
