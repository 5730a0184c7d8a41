"""Puts archive members into a folder: never through a link, never a file half written, only what differs."""

import errno
import os
import stat

from opsplay.remote.atomic_write import group_id, user_id
from opsplay.remote.spec import ModuleFailure
from opsplay.remote.trusted_path import open_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from opsplay.remote.archive_members import Member

CHUNK = 1 << 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Target(object):
    """The folder to unpack into. `ownership`: set the archive's owners (as root, as tar does)."""

    def __init__(self, folder: "str", ownership: "bool", permissions: "bool", keep_newer: "bool", keep_old: "bool") -> "None":
        self.folder = folder
        self.top = open_folder(folder)  # held open: whatever happens to the name, it stays this folder
        self.ownership = ownership
        self.permissions = permissions
        self.keep_newer = keep_newer
        self.keep_old = keep_old
        self.linkable: "set[str]" = set()
        self._folders: "List[Member]" = []
        self._ids: "Dict[Any, int]" = {}

    def close(self) -> "None":
        os.close(self.top)

    def differs(self, member: "Member") -> "bool":
        """Would putting this member there change anything?"""
        if member.kind == "file":
            self.linkable.add(member.name)
        found = self._found(member.name)
        if found is None:
            return True
        if member.kind == "directory":
            return not stat.S_ISDIR(found.st_mode) or self._dressed_differently(member, found)
        if self.keep_old or (self.keep_newer and found.st_mtime > member.mtime):
            return False
        if member.kind == "symlink":
            return not stat.S_ISLNK(found.st_mode) or self._readlink(member.name) != member.link
        if member.kind == "hardlink":
            other = self._found(member.link)
            return other is None or (other.st_ino, other.st_dev) != (found.st_ino, found.st_dev)
        return (not stat.S_ISREG(found.st_mode) or found.st_size != member.size
                or self._dressed_differently(member, found) or not self._same_content(member))

    def put(self, member: "Member") -> "None":
        folder, name = self._parent(member.name, create=True)
        try:
            getattr(self, "_put_" + member.kind)(folder, name, member)
        except OSError as error:
            raise ModuleFailure("cannot unpack %s into %s: %s" % (member.name, self.folder, error.strerror or error))
        finally:
            os.close(folder)

    def _put_directory(self, folder: "int", name: "str", member: "Member") -> "None":
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise ModuleFailure("%s is in the way: a folder of that name is to be unpacked into %s" % (name, self.folder))
        self._folders.append(member)

    def finish(self) -> "None":
        """Folders get their permissions and times last: a read-only one could not be filled, and filling moves the time."""
        for member in reversed(self._folders):
            parent, name = self._parent(member.name, create=False)
            fd = os.open(name, FOLDER, dir_fd=parent)
            try:
                self._dress(fd, member)
            finally:
                os.close(fd)
                os.close(parent)

    def _put_symlink(self, folder: "int", name: "str", member: "Member") -> "None":
        temporary = _temporary(name)
        os.symlink(member.link, temporary, dir_fd=folder)
        self._rename(folder, temporary, name)

    def _put_hardlink(self, folder: "int", name: "str", member: "Member") -> "None":
        if member.link not in self.linkable:
            raise ModuleFailure("the archive holds a hard link to what is not in it: %s -> %s" % (member.name, member.link))
        source, source_name = self._parent(member.link, create=False)
        temporary = _temporary(name)
        try:
            os.link(source_name, temporary, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(source)
        self._rename(folder, temporary, name)

    def _put_file(self, folder: "int", name: "str", member: "Member") -> "None":
        temporary = _temporary(name)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        try:
            _copy(member, fd)
            self._dress(fd, member)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
        finally:
            os.close(fd)
        self._rename(folder, temporary, name)

    def _rename(self, folder: "int", temporary: "str", name: "str") -> "None":
        try:
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(temporary, dir_fd=folder)
            raise

    def _dress(self, fd: "int", member: "Member") -> "None":
        if self.ownership and member.owner is not None:
            os.fchown(fd, self._id(user_id, member.owner), self._id(group_id, member.group))
        os.fchmod(fd, self._mode(member))
        os.utime(fd, (member.mtime, member.mtime))

    def _dressed_differently(self, member: "Member", found: "os.stat_result") -> "bool":
        if stat.S_IMODE(found.st_mode) != self._mode(member):
            return True
        return self.ownership and member.owner is not None and (found.st_uid, found.st_gid) != (
            self._id(user_id, member.owner), self._id(group_id, member.group))

    def _mode(self, member: "Member") -> "int":
        """An archive does not get to make set-id programs unless its permissions were asked for (-p)."""
        return member.mode if self.permissions else member.mode & 0o1777

    def _id(self, look_up: "Any", known: "Any") -> "int":
        """By name where this host has it, else by number, as tar does."""
        key = (look_up, known)
        if key not in self._ids:
            try:
                self._ids[key] = look_up(known[0]) if known[0] else known[1]
            except ModuleFailure:
                self._ids[key] = known[1]
        return self._ids[key]

    def _same_content(self, member: "Member") -> "bool":
        folder, name = self._parent(member.name, create=False)
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        except OSError:
            return False
        finally:
            os.close(folder)
        with os.fdopen(fd, "rb") as present, member.opened() as packed:
            while True:
                piece = packed.read(CHUNK)
                if piece != present.read(len(piece) or 1):
                    return False
                if not piece:
                    return True

    def _found(self, name: "str") -> "Optional[os.stat_result]":
        try:
            folder, last = self._parent(name, create=False)
        except FileNotFoundError:
            return None
        try:
            return os.stat(last, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        finally:
            os.close(folder)

    def _readlink(self, name: "str") -> "str":
        folder, last = self._parent(name, create=False)
        try:
            return str(os.readlink(last, dir_fd=folder))
        finally:
            os.close(folder)

    def _parent(self, name: "str", create: "bool") -> "Any":
        """An open descriptor of the folder that holds the name, found one real folder at a time, and the last part."""
        parts = name.split("/")
        folder = os.dup(self.top)
        for part in parts[:-1]:
            try:
                below = _enter(folder, part, create)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise ModuleFailure("%s leads through a link or file in %s, which is never followed: %s"
                                        % (name, self.folder, part))
                raise
            finally:
                os.close(folder)
            folder = below
        return folder, parts[-1]


def _enter(folder: "int", part: "str", create: "bool") -> "int":
    try:
        return os.open(part, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    os.mkdir(part, 0o755, dir_fd=folder)
    return os.open(part, FOLDER, dir_fd=folder)


def _temporary(name: "str") -> "str":
    return ".%s.opsplay-%s" % (name[:150], os.urandom(12).hex())


def _copy(member: "Member", fd: "int") -> "None":
    """Exactly what was declared: a member that unpacks to more is damaged or hostile."""
    left = member.size
    with member.opened() as packed:
        while True:
            piece = packed.read(min(CHUNK, left + 1))
            left -= len(piece)
            if left < 0:
                raise ModuleFailure("%s unpacks to more than the %d bytes it declares" % (member.name, member.size))
            if not piece:
                return
            view = memoryview(piece)
            while view:
                view = view[os.write(fd, view):]
