"""The content that a copy puts somewhere: sent with the step, sent ahead in parts, or a file of the host."""

import hashlib
import mmap
import os

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from opsplay.remote.received import Received
    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SHOWN = 104448  # what a diff shows at most, as Ansible documents


class Content(object):
    """Its checksum, its bytes without loading them all, and what a diff shows of it."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.path: "Optional[str]" = {"host": args.src, "part": args.get("part")}.get(args.source)
        self.received: "Optional[Received]" = None
        if args.source == "sent":
            from opsplay.remote import received
            self.received = received.find(args.token)
        self.missing = args.source == "body" and system.body is None
        if args.source == "host":
            _require_file(system, args.src)
        self.sha1 = args.get("sha1") or self._digest()
        if not self.missing and args.get("sha1") and self._digest() != self.sha1:
            raise ModuleFailure("the content was damaged on its way", sha1=self.sha1)

    def _digest(self, algorithm: "str" = "sha1") -> "str":
        if self.received is not None:
            return self.received.digest()
        if self.path is not None:
            return str(self.system.digest(self.path, algorithm))
        return hashlib.new(algorithm, self.system.body or b"").hexdigest()

    def digest_at(self, path: "str", status: "os.stat_result") -> "str":
        """The checksum of what is at the path: known, where it is what came in pieces and was hashed on the way."""
        if self.received is not None and self.received.is_at(status):
            return self.received.digest()
        return str(self.system.digest(path))

    def md5(self) -> "Optional[str]":
        """As Ansible returns it; None where the host's policy forbids MD5, or nobody reads it."""
        try:
            return self.received.md5() if self.received is not None else self._digest("md5")
        except (ValueError, ModuleFailure):
            return None

    def view(self) -> "Any":
        return View(self.path, self.system.body) if self.received is None else Whole(self.received)

    def shown(self) -> "Dict[str, Any]":
        if self.received is not None and self.received.size > SHOWN:
            return {"larger": SHOWN}
        if self.path is not None:
            return shown_file(self.system, self.path)
        return shown_bytes(self.system.body or b"") if not self.missing else {"larger": SHOWN}


class View(object):
    """The bytes as something to slice, for the time of a `with`."""

    def __init__(self, path: "Optional[str]", data: "Optional[bytes]") -> "None":
        self.path = path
        self.data: "Any" = data or b""

    def __enter__(self) -> "Any":
        if self.path is None or os.path.getsize(self.path) == 0:
            return self.data
        with open(self.path, "rb") as handle:
            self.data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        return self.data

    def __exit__(self, *error: "Any") -> "None":
        self.data = None  # not closed by hand: a slice of it may still be on its way out of an exception


class Whole(object):
    """What came in pieces, as what System.write takes in place of bytes."""

    def __init__(self, received: "Received") -> "None":
        self.received = received

    def __enter__(self) -> "Received":
        return self.received

    def __exit__(self, *error: "Any") -> "None":
        pass


def _require_file(system: "System", path: "Optional[str]") -> "None":
    found = system.stat(path) if path else None
    if found is None:
        raise ModuleFailure("Source %s not found" % path, src=path)


def shown_file(system: "System", path: "str") -> "Dict[str, Any]":
    return shown_bytes(system.read(path, limit=SHOWN + 1))


def shown_bytes(data: "bytes") -> "Dict[str, Any]":
    """{"text": ...}, or why there is none to show: larger, binary."""
    if len(data) > SHOWN:
        return {"larger": SHOWN}
    if b"\0" in data[:8192]:
        return {"binary": 1}
    return {"text": data.decode("utf-8", "replace")}
