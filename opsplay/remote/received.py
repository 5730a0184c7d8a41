"""Content that comes in pieces: a file beside where it will be put, hashed and written back to disk while it comes.

It is open and locked until it is put in place. Whoever comes later and can take the lock knows that its writer is gone
(atomic_write.drop_abandoned); an interpreter that ends in good order removes what it has not put anywhere.
"""

import atexit
import fcntl
import hashlib
import os

from opsplay.remote import atomic_write
from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

WRITE_BACK = 8 * 1024 * 1024  # so much may wait in memory before it is written to the disk in the background
_coming: "Dict[str, Received]" = {}


def begin(token: "str", folder: "str", name: "str", md5: "bool" = False) -> "Received":
    """Room for the content of `folder`/`name`, or of something that is made below that folder."""
    for old in [key for key in _coming if _coming[key].placed is not None]:
        del _coming[old]
    if not _coming:
        atexit.register(_drop_all, os.getpid())
    _coming[token] = Received(token, folder, name, md5)
    return _coming[token]


def find(token: "Optional[str]") -> "Received":
    try:
        return _coming[token or ""]
    except KeyError:
        raise ModuleFailure("what was sent ahead is not there any more: the interpreter that took it has ended")


def drop(token: "str") -> "None":
    received = _coming.pop(token, None)
    if received is not None:
        received.drop()


def _drop_all(pid: "int") -> "None":
    for token in list(_coming) if os.getpid() == pid else ():  # not in what was forked from it
        drop(token)


class Received(object):
    """One transfer. `placed` is what tells the file where it was put: nobody else has written there since."""

    def __init__(self, token: "str", folder: "str", name: "str", md5: "bool") -> "None":
        self.name = ".%s.opsplay-%s" % (name[:150], token)
        self.path = os.path.join(folder, self.name)
        self.size = 0
        self.placed: "Optional[Tuple[int, ...]]" = None
        self.directory = atomic_write.open_directory(folder)
        self._sha1 = hashlib.sha1()
        self._md5 = _md5() if md5 else None
        self._write_back: "Optional[WriteBack]" = None
        try:
            atomic_write.drop_abandoned(self.directory, name)
            self.fd = self._open(folder)
        except BaseException:
            os.close(self.directory)
            raise

    def _open(self, folder: "str") -> "int":
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(self.name, flags, 0o600, dir_fd=self.directory)
        except OSError as error:
            raise ModuleFailure("cannot write in %s: %s" % (folder, error.strerror), errno=error.errno)
        fcntl.flock(fd, fcntl.LOCK_EX)
        return fd

    def add(self, offset: "int", data: "bytes") -> "None":
        """The next piece. Raises OSError, ModuleFailure."""
        if offset != self.size:
            raise ModuleFailure("a piece for offset %d arrived at %d" % (offset, self.size))
        self._sha1.update(data)
        if self._md5 is not None:
            self._md5.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self.fd, view):]
        self.size += len(data)
        if self._write_back is None and self.size > WRITE_BACK:
            self._write_back = WriteBack(self.fd)
        if self._write_back is not None:
            self._write_back.reach(self.size)

    def digest(self) -> "str":
        return self._sha1.hexdigest()

    def md5(self) -> "Optional[str]":
        """None where nobody asked for it, or this host's policy forbids it."""
        return None if self._md5 is None else self._md5.hexdigest()

    def end(self) -> "None":
        """No more pieces will come. Raises ModuleFailure when one of them did not get to the disk."""
        back, self._write_back = self._write_back, None
        try:
            if back is not None:
                back.end()
        except OSError as error:
            raise ModuleFailure("cannot write %s: %s; nothing was changed" % (self.path, error.strerror), errno=error.errno)

    def view(self) -> "Any":
        import mmap
        return mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ) if self.size else b""

    def settle(self) -> "None":
        """It has been put in place under another name: from here on it is recognised there, and no longer ours to remove."""
        self.placed = _identity(os.fstat(self.fd))
        self._close()

    def is_at(self, status: "Optional[os.stat_result]") -> "bool":
        return status is not None and self.placed == _identity(status)

    def drop(self) -> "None":
        if self.placed is None:
            try:
                os.unlink(self.name, dir_fd=self.directory)
            except OSError:  # somebody else removed it
                pass
            self.placed = ()
            self._close()

    def _close(self) -> "None":
        if self._write_back is not None:
            self._write_back.abandon()
        os.close(self.fd)
        os.close(self.directory)


def _md5() -> "Any":
    try:
        return hashlib.md5()
    except ValueError:
        return None


def _identity(status: "os.stat_result") -> "Tuple[int, ...]":
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class WriteBack(object):
    """A thread that writes back what has come, so that the end has little left to wait for."""

    def __init__(self, fd: "int") -> "None":
        import threading
        self._fd = os.dup(fd)
        self._asked = 0
        self._over = False
        self._failed: "List[OSError]" = []
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work, name="opsplay-write-back")
        self._thread.daemon = True
        self._thread.start()

    def reach(self, size: "int") -> "None":
        if size - self._asked >= WRITE_BACK:
            self._asked = size
            self._wake.set()

    def end(self) -> "None":
        """Raises the OSError that it met: the kernel tells a lost write only once."""
        self.abandon()
        self._thread.join()
        if self._failed:
            raise self._failed[0]

    def abandon(self) -> "None":
        self._over = True
        self._wake.set()

    def _work(self) -> "None":
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._over or self._failed:
                os.close(self._fd)
                return
            try:
                getattr(os, "fdatasync", os.fsync)(self._fd)
            except OSError as error:
                self._failed.append(error)


def nearest_folder(path: "str") -> "str":
    """The folder that holds the path, or, where that will be made, the nearest above it that is there."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


