"""The content that a copy puts somewhere: sent with the step, sent ahead in parts, or a file of the host."""

import hashlib
import mmap
import os

from opsplay.remote.spec import ModuleFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from opsplay.remote.spec import Args
    from opsplay.remote.system import System

SHOWN = 104448  # what a diff shows at most, as Ansible documents


class Content(object):
    """Its checksum, its bytes without loading them all, and what a diff shows of it."""

    def __init__(self, system: "System", args: "Args") -> "None":
        self.system = system
        self.path: "Optional[str]" = {"host": args.src, "part": args.get("part")}.get(args.source)
        self.missing = args.source == "body" and system.body is None
        if args.source == "host":
            _require_file(system, args.src)
        self.sha1 = args.get("sha1") or self._digest()
        if not self.missing and args.get("sha1") and self._digest() != self.sha1:
            raise ModuleFailure("the content was damaged on its way", sha1=self.sha1)

    def _digest(self, algorithm: "str" = "sha1") -> "str":
        if self.path is not None:
            return str(self.system.digest(self.path, algorithm))
        return hashlib.new(algorithm, self.system.body or b"").hexdigest()

    def md5(self) -> "Optional[str]":
        """As Ansible returns it; None where the host's policy forbids MD5."""
        try:
            return self._digest("md5")
        except (ValueError, ModuleFailure):
            return None

    def view(self) -> "View":
        return View(self.path, self.system.body)

    def shown(self) -> "Dict[str, Any]":
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
