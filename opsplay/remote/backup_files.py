"""Backup files by their first bytes: what they are, how they are packed, their checksum files. Python 3.6 syntax."""

import bz2
import glob
import gzip
import hashlib
import lzma
import os
import re
import time

from opsplay.remote.plain_dump import HEADER
from opsplay.remote.spec import ModuleFailure

PACKED = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))
ENDINGS = ((r"\.(dump|pgdump|custom|backup)$", "pg_custom"), (r"\.sql$", "pg_plain"), (r"\.(sqlite3?|db|db3)$", "sqlite"), (r"\.(tar|tgz|tbz2?|txz)$", "tar"))
CHECKSUMS = ("sha512", "sha256", "sha1", "md5")


def newest(pattern, now):
    """Paths that match, newest first. %Y-%m-%d and the like in the pattern stand for today."""
    if "%" in pattern:
        pattern = time.strftime(pattern, time.localtime(now))
    found = [(os.stat(path).st_mtime, path) for path in glob.glob(pattern) if not re.search(r"\.(sha\d+|md5|part|tmp)$", path)]
    return [path for _, path in sorted(found, reverse=True)]


def kind_by_name(path):
    plain = re.sub(r"\.(gz|bz2|xz|zst|gpg|enc|age)$", "", path)
    plain = re.sub(r"\.(gz|bz2|xz|zst)$", "", plain)
    for ending, kind in ENDINGS:
        if re.search(ending, plain):
            return kind
    return None


def packing(head):
    for magic, name in PACKED:
        if head.startswith(magic):
            return name
    return None


def kind_by_content(head):
    if head.startswith(b"PGDMP"):
        return "pg_custom"
    if head.startswith(b"SQLite format 3\x00"):
        return "sqlite"
    if head[257:262] == b"ustar":
        return "tar"
    return "pg_plain" if HEADER.search(head[:4096]) else None


def open_packed(path, how):
    if how == "gz":
        return gzip.open(path, "rb")
    if how == "bz2":
        return bz2.open(path, "rb")
    return lzma.open(path, "rb") if how == "xz" else open(path, "rb")


def unpack(system, path, how, target, limit):
    """Write the unpacked bytes to `target`. Damage and a bomb are failures."""
    if how == "zst":
        path, how = _from_zstd(system, path, target + ".zst"), None
    total = 0
    try:
        with open_packed(path, how) as source, open(target, "wb") as copy:
            for chunk in iter(lambda: source.read(1 << 20), b""):
                total += len(chunk)
                if total > limit:
                    raise ModuleFailure("it unpacks to more than %d bytes" % limit)
                copy.write(chunk)
    except (EOFError, OSError, lzma.LZMAError, ValueError) as problem:
        raise ModuleFailure("damaged: %s" % problem)
    except Exception as problem:  # zlib.error
        if isinstance(problem, ModuleFailure) or "zlib" not in type(problem).__module__:
            raise
        raise ModuleFailure("damaged: %s" % problem)


def _from_zstd(system, path, target):
    done = through(system, ["zstd", "-dcq"], path, target)
    if done.rc:
        raise ModuleFailure("damaged: %s" % done.stderr.strip()[-200:])
    return target


def through(system, command, source, target):
    """Run a filter command from file to file."""
    return system.run(["sh", "-c", '"$@" <"$OPSPLAY_FROM" >"$OPSPLAY_TO"', "sh"] + list(command),
                      environment={"OPSPLAY_FROM": source, "OPSPLAY_TO": target})


def expected_checksum(path):
    """(algorithm, hex, where it is written) from path.sha256, or SHA256SUMS and the like beside it; or None."""
    for algorithm in CHECKSUMS:
        for place in (path + "." + algorithm, os.path.join(os.path.dirname(path), algorithm.upper() + "SUMS")):
            found = _listed(place, os.path.basename(path), alone=place.startswith(path + "."))
            if found:
                return algorithm, found, place
    return None


def _listed(place, name, alone):
    try:
        with open(place, errors="replace") as stream:
            lines = stream.read(1 << 20).splitlines()
    except OSError:
        return None
    for line in lines:
        match = re.match(r"^\\?([0-9a-fA-F]{32,128})(?:\s+\*?(.*))?$", line.strip())
        if match and ((alone and len(lines) == 1) or os.path.basename(match.group(2) or "") == name):
            return match.group(1).lower()
    return None


def digest(path, algorithm):
    found = hashlib.new(algorithm)
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            found.update(chunk)
    return found.hexdigest()
