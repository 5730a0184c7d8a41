"""Large files on their way: hashed once for all hosts, cut into pieces that all hosts share."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

PIECE = 1024 * 1024  # the most that is sent at once
LEAST_PIECE, ALL_PIECES = 128 * 1024, 32 * 1024 * 1024  # where many hosts are sent to at once
IN_FLIGHT = 4  # pieces of one transfer that wait for their answer
KEPT = 8 * 1024 * 1024  # of what was read last: other hosts are about to want it
CHUNK = 1024 * 1024
SUMS_KEPT = 64
Key = tuple[int, ...]


def status_key(status: os.stat_result) -> Key:
    """The same as long as the file is."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class LargeFile:
    """One file of the controller, as it was when it was opened; shared by all that are sent it at the time."""

    def __init__(self, path: Path) -> None:
        self.handle = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with the object, when no host needs it any more
        self._recent: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._size = 0

    def piece(self, offset: int, size: int) -> bytes:
        """Empty at the end. The same object for every host that asks soon."""
        key = (offset, size)
        found = self._recent.get(key)
        if found is None:
            found = self._recent[key] = os.pread(self.handle.fileno(), size, offset)
            self._size += len(found)
            while self._size > KEPT:
                self._size -= len(self._recent.popitem(last=False)[1])
        return found

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            self.handle.close()


_files: WeakValueDictionary[tuple[Path, Key], LargeFile] = WeakValueDictionary()


def large_file(path: Path) -> LargeFile:
    key = (path, status_key(os.stat(path)))
    found = _files.get(key)
    if found is None:
        found = _files[key] = LargeFile(path)
    return found


# -- how much is sent at once

_sending: set[object] = set()  # the transfers under way, to all hosts


@contextmanager
def under_way() -> Iterator[None]:
    mark = object()
    _sending.add(mark)
    try:
        yield
    finally:
        _sending.discard(mark)


def piece_size() -> int:
    """Smaller the more hosts are being sent to: what is in memory stays bounded, and no host waits for another."""
    size = PIECE
    while size > LEAST_PIECE and size * IN_FLIGHT * len(_sending) > ALL_PIECES:
        size //= 2
    return size


def aligned(size: int, offset: int) -> int:
    """Where the pieces grow again, only from a place where those of other hosts may begin, too."""
    while offset % size:
        size //= 2
    return size


# -- checksums

_sums: OrderedDict[tuple[Path, Key], Future[str]] = OrderedDict()
_lock = Lock()


@cache
def _hashing() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="opsplay-hash")


def sha1_of(path: Path, key: Key) -> Future[str]:
    """Under way, or there already, as long as `key` says that the file is the same. OSError is for whoever waits."""
    with _lock:
        found = _sums.get((path, key))
        if found is None or (found.done() and found.exception()):
            found = _sums[path, key] = _hashing().submit(_read_sha1, path)
            while len(_sums) > SUMS_KEPT:
                _sums.popitem(last=False)
        return found


def _read_sha1(path: Path) -> str:
    sha1 = hashlib.sha1()
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as handle:
        while count := handle.readinto(buffer):
            sha1.update(view[:count])
    return sha1.hexdigest()
