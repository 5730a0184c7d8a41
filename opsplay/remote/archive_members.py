"""Tar and zip archives as one kind of member list; what a hostile archive says is checked here and in unpacking.py."""

import bz2
import gzip
import lzma
import os
import posixpath
import shlex
import stat
import tarfile
import time
import zipfile

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Iterator, Optional

    from opsplay.remote.system import System

MEMBER_LIMIT = 1000000
PACKED = ((b"\x1f\x8b", "TgzArchive", gzip.open), (b"BZh", "TarBzipArchive", bz2.open), (b"\xfd7zXZ", "TarXzArchive", lzma.open))
ZSTD = b"\x28\xb5\x2f\xfd"
BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError, lzma.LZMAError, RuntimeError,
          NotImplementedError, OverflowError, RecursionError)


class Member(object):
    """One entry. `kind`: file, directory, symlink or hardlink; `name` is relative and has no `..`."""

    __slots__ = ("group", "kind", "link", "mode", "mtime", "name", "opened", "owner", "size")

    def __init__(self, name: "str", kind: "str", size: "int", mode: "int", mtime: "float", link: "str" = "",
                 owner: "Any" = None, group: "Any" = None, opened: "Any" = None) -> "None":
        self.name = name
        self.kind = kind
        self.size = size
        self.mode = mode
        self.mtime = mtime
        self.link = link
        self.owner = owner  # (name, id), or None where the archive keeps none
        self.group = group
        self.opened = opened  # called without arguments, gives a file to read


class SafeTarInfo(tarfile.TarInfo):
    """Refuses the negative sizes by which older tarfile versions loop for ever (CVE-2025-8194)."""

    def _block(self, count: "int") -> "int":
        if count < 0:
            raise tarfile.InvalidHeaderError("invalid size")  # type: ignore[attr-defined]
        return super(SafeTarInfo, self)._block(count)  # type: ignore[misc]


class Archive(object):
    """An archive opened for reading; `members()` may be gone through once or more often."""

    def __init__(self, system: "System", path: "str") -> "None":
        self.path = path
        self.handler, self._open = _kind(system, path)

    def members(self) -> "Iterator[Member]":
        """Each member, in the archive's order. Raises ModuleFailure for what cannot be read or must not be unpacked."""
        try:
            for count, member in enumerate(self._zip() if self.handler == "ZipArchive" else self._tar()):
                if count >= MEMBER_LIMIT:
                    raise ModuleFailure("the archive has more than %d members" % MEMBER_LIMIT)
                yield member
        except BROKEN as error:
            raise ModuleFailure("Failed to find handler for \"%s\" or it is damaged: %s: %s"
                                % (self.path, type(error).__name__, error))

    def _tar(self) -> "Iterator[Member]":
        with self._open(self.path, "rb") as raw, tarfile.open(fileobj=raw, mode="r|", tarinfo=SafeTarInfo) as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined]  # a long archive must not fill the memory
                member = _tar_member(archive, info)
                if member is not None:
                    yield member

    def _zip(self) -> "Iterator[Member]":
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                member = _zip_member(archive, info)
                if member is not None:
                    yield member


def _kind(system: "System", path: "str") -> "Any":
    try:
        start = system.read(path, limit=8)
    except OSError as error:
        raise ModuleFailure("Source '%s' not readable: %s" % (path, error))
    for magic, handler, opened in PACKED:
        if start.startswith(magic):
            return handler, opened
    if start.startswith(ZSTD):
        return "TarZstdArchive", _zstd_opener(system)
    if start.startswith((b"PK\3\4", b"PK\5\6")) or zipfile.is_zipfile(path):
        return "ZipArchive", None
    if tarfile.is_tarfile(path):
        return "TarArchive", open
    raise ModuleFailure("Failed to find handler for \"%s\". Make sure the required command to extract the file is "
                        "installed: it is no zip archive and no tar archive, plain or packed by gzip, bzip2, xz or zstd" % path)


def _zstd_opener(system: "System") -> "Any":
    """Python before 3.14 cannot unpack zstd: the zstd program does, into a private folder, up to what fits there."""

    def opened(path: "str", mode: "str") -> "IO[bytes]":
        program = system.which("zstd")
        if program is None:
            raise ModuleFailure("Unable to find required 'zstd' binary in the path: %s is packed by it" % path)
        folder = system.temporary()
        target = os.path.join(folder, "unpacked")
        space = os.statvfs(folder)
        words = " ".join(shlex.quote(word) for word in (program, "-d", "-q", "-o", target, "--", path))
        run = system.run("ulimit -f %d; exec %s" % (space.f_bavail * space.f_frsize // 512, words))
        if run.rc != 0:
            raise ModuleFailure("cannot unpack %s: %s" % (path, run.stderr.strip()))
        return open(target, mode)

    return opened


def _tar_member(archive: "tarfile.TarFile", info: "tarfile.TarInfo") -> "Optional[Member]":
    name = safe_name(info.name)
    if name is None:
        return None
    kind = "file" if info.isreg() else "directory" if info.isdir() else "symlink" if info.issym() else \
        "hardlink" if info.islnk() else ""
    if not kind:
        raise ModuleFailure("the archive holds a device or fifo, which is never unpacked: %s" % info.name)
    link = info.linkname
    if kind == "hardlink":
        link = safe_name(link) or ""
    elif kind == "symlink":
        check_link(name, link)
    return Member(name, kind, info.size if kind == "file" else 0, info.mode & 0o7777, info.mtime, link,
                  (info.uname, info.uid), (info.gname, info.gid), lambda: archive.extractfile(info))


def _zip_member(archive: "zipfile.ZipFile", info: "zipfile.ZipInfo") -> "Optional[Member]":
    name = safe_name(info.filename)
    if name is None:
        return None
    unix = info.external_attr >> 16 if info.create_system == 3 else 0
    mode, mtime = stat.S_IMODE(unix), time.mktime(tuple(info.date_time) + (0, 0, -1))  # type: ignore[arg-type]
    if stat.S_ISLNK(unix):
        if info.file_size > 4096:
            raise ModuleFailure("the archive holds a link with a target of %d bytes: %s" % (info.file_size, name))
        link = archive.read(info).decode("utf-8", "surrogateescape")
        check_link(name, link)
        return Member(name, "symlink", 0, mode, mtime, link)
    if info.filename.endswith("/") or stat.S_ISDIR(unix):
        return Member(name, "directory", 0, mode or 0o755, mtime)
    if stat.S_IFMT(unix) not in (0, stat.S_IFREG):
        raise ModuleFailure("the archive holds a device or fifo, which is never unpacked: %s" % name)
    return Member(name, "file", info.file_size, mode or 0o644, mtime, opened=lambda: archive.open(info))


def safe_name(name: "str") -> "Optional[str]":
    """The name relative to the target folder, None for that folder itself. Raises ModuleFailure for a way out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise ModuleFailure("the archive holds a name that leads out of the target folder: %r" % name)
    return "/".join(parts) or None


def check_link(name: "str", link: "str") -> "None":
    """A link may only lead to what is below the target folder, and `..` only stand at its beginning.

    The folders above a link are real ones (unpacking.py goes through no link), so leading `..` can be counted;
    behind another name they could go up from wherever that name, being a link itself, leads to.
    """
    parts = [part for part in link.split("/") if part not in ("", ".")]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    depth = len(posixpath.dirname(name).split("/")) if "/" in name else 0
    if not link or link.startswith("/") or ups > depth or ".." in parts[ups:] or "\0" in link:
        raise ModuleFailure("the archive holds a link that leads out of the target folder: %r -> %r" % (name, link))


def space_left(folder: "str") -> "int":
    """What may be unpacked: what is free for us, and never more than a disk holds."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize
