"""Chooses what goes into an archive, packs it, and tells whether two archives hold the same."""

import bz2
import fnmatch
import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

    Members = List[Tuple[str, str]]

PACKERS: "Dict[str, Any]" = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
TAR_MODES: "Any" = {"gz": "w:gz", "bz2": "w:bz2", "xz": "w:xz", "tar": "w"}


class Selection(object):
    """The paths that the arguments mean, those that are not there, and the folder that all lie in."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.args = args
        self.expanded = _globbed(system, args.path)
        self.excluded = _globbed(system, args.exclude_path)
        wanted = [path for path in self.expanded if path not in self.excluded]
        self.found = [path.rstrip("/") or "/" for path in wanted if system.lstat(path) is not None]
        self.missing = [path for path in wanted if system.lstat(path) is None]
        several = len(self.found) != 1 or os.path.isdir(self.found[0]) or len(self.expanded) > 1
        self.is_archive = several or args.force_archive or args.format in ("tar", "zip")
        self.root = _root(self.found)

    def members(self, dest: "str") -> "Members":
        """(path, name in the archive) of everything to pack, in a fixed order; the archive itself is left out."""
        own = os.path.realpath(dest)
        members: "Members" = []
        for top in self.found:
            members.extend((path, os.path.relpath(path, self.root)) for path in self._below(top)
                           if os.path.realpath(path) != own)
        return members

    def _below(self, top: "str") -> "List[str]":
        if not os.path.isdir(top) or os.path.islink(top):
            return [] if self._left_out(top) else [top]
        found = [top] if top != self.root else []
        for folder, folders, files in self.system.walk(top):
            folders[:] = sorted(name for name in folders if not self._left_out(os.path.join(folder, name)))
            found.extend(os.path.join(folder, name) for name in folders)
            found.extend(os.path.join(folder, name) for name in sorted(files) if not self._left_out(os.path.join(folder, name)))
        return found

    def _left_out(self, path: "str") -> "bool":
        patterns = self.args.exclusion_patterns or ()
        return path in self.excluded or any(fnmatch.fnmatch(path, one) or fnmatch.fnmatch(os.path.basename(path), one)
                                            for one in patterns)


def _globbed(system: "System", paths: "List[str]") -> "List[str]":
    found: "List[str]" = []
    for path in paths:
        found.extend(system.glob(path) if any(char in path for char in "*?[") else [path])
    return sorted(set(found), key=found.index)


def _root(found: "List[str]") -> "str":
    """The folder that names in the archive are relative to: a single folder's contents, or what all have in common."""
    if len(found) == 1 and os.path.isdir(found[0]):
        return os.path.dirname(found[0]) or "/"
    return os.path.commonpath([os.path.dirname(path) for path in found]) if found else "/"


def pack(path: "str", form: "str", members: "Members", is_archive: "bool") -> "None":
    if not is_archive:
        with open(members[0][0], "rb") as source, PACKERS[form](path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    elif form == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as packed:
            for member, name in members:
                packed.write(member, name)
    else:
        with tarfile.open(path, TAR_MODES[form], format=tarfile.PAX_FORMAT) as archive:
            for member, name in members:
                archive.add(member, name, recursive=False)


def same_content(one: "str", other: "str", form: "str", is_archive: "bool") -> "bool":
    """By names, kinds and content: times of packing do not matter."""
    try:
        return _content(one, form, is_archive) == _content(other, form, is_archive)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, ValueError):
        return False


def _content(path: "str", form: "str", is_archive: "bool") -> "Dict[str, Any]":
    if not is_archive:
        with PACKERS[form](path, "rb") as handle:
            return {"": _crc(handle)}
    if form == "zip":
        with zipfile.ZipFile(path) as archive:
            return {info.filename: (info.CRC, info.external_attr >> 16) for info in archive.infolist()}
    with tarfile.open(path) as archive:
        return {info.name: (info.type, info.mode, info.linkname, _crc(archive.extractfile(info)) if info.isreg() else 0)
                for info in archive}


def _crc(handle: "Any") -> "int":
    crc = 0
    while True:
        piece = handle.read(1 << 20)
        if not piece:
            return crc
        crc = zlib.crc32(piece, crc)
