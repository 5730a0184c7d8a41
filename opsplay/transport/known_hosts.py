"""Known hosts: which key a host may show, by OpenSSH's files; unknown, changed and revoked keys are refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from re import compile as compile_pattern

from opsplay.lazy_dataclass import dataclass
from opsplay.transport.protocol import Unreachable


class HostKeyRefused(Unreachable):
    """The host's key is not the one that is known for it. Nothing was sent to it."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line of a known_hosts file. `marker` is "", "@revoked" or "@cert-authority"."""

    marker: str
    names: str
    kind: str
    blob: bytes
    path: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def fingerprint(blob: bytes) -> str:
    """As ssh-keygen -l prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def host_name(hostname: str, port: int) -> str:
    """The name as known_hosts writes it: in brackets with the port where that is not 22."""
    return hostname.lower() if port == 22 else f"[{hostname.lower()}]:{port}"


def keys_of(paths: Sequence[str], name: str) -> list[KnownKey]:
    """All lines of the files that are about the name."""
    return [known for path in paths for known in _read(path) if _matches(known.names, name)]


def _read(path: str) -> tuple[KnownKey, ...]:
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return _parse(path, status.st_mtime_ns, status.st_size, status.st_ino)


@lru_cache(maxsize=64)
def _parse(path: str, mtime: int, size: int, inode: int) -> tuple[KnownKey, ...]:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    parsed = (_parse_line(path, number, line) for number, line in enumerate(lines, 1))
    return tuple(known for known in parsed if known is not None)


def _parse_line(path: str, number: int, line: str) -> KnownKey | None:
    fields = line.split()
    if not fields or fields[0].startswith("#"):
        return None
    marker = fields.pop(0) if fields[0].startswith("@") else ""
    if len(fields) < 3:
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except binascii.Error:
        return None
    return KnownKey(marker, fields[0], fields[1], blob, path, number)


def _matches(names: str, wanted: str) -> bool:
    if names.startswith("|1|"):
        return _matches_hash(names, wanted)
    matched = False
    for pattern in names.lower().split(","):
        negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
        if pattern == wanted or (("*" in pattern or "?" in pattern) and _pattern(pattern).match(wanted)):
            if negated:
                return False
            matched = True
    return matched


@lru_cache(maxsize=1024)
def _pattern(pattern: str):  # type: ignore[no-untyped-def]
    return compile_pattern(translate(pattern.replace("[", "[[]")))


def _matches_hash(names: str, wanted: str) -> bool:
    try:
        _, _, salt, digest = names.split("|")
        return hmac.digest(base64.b64decode(salt), wanted.encode(), "sha1") == base64.b64decode(digest)
    except (ValueError, binascii.Error):
        return False


def known_kinds(keys: Sequence[KnownKey]) -> tuple[str, ...]:
    """The key types known for a host, so that it is asked for one of those first."""
    return tuple(dict.fromkeys(known.kind for known in keys if not known.marker))


@dataclass(frozen=True, slots=True)
class Showing:
    """The key that a host showed, and where a new one may be noted."""

    host: str  # inventory name
    hostname: str
    port: int
    kind: str
    blob: bytes
    paths: tuple[str, ...]
    alias: str = ""

    @property
    def name(self) -> str:
        return self.alias or host_name(self.hostname, self.port)


def check(showing: Showing, keys: Sequence[KnownKey], accept_new: bool = False, accept_any: bool = False) -> str:
    """Raises HostKeyRefused, or returns a notice ("" for a key that is known)."""
    if any(known.marker == "@revoked" and known.blob == showing.blob for known in keys):
        raise _revoked(showing, next(known for known in keys if known.blob == showing.blob))
    plain = [known for known in keys if not known.marker]
    if any(known.kind == showing.kind and known.blob == showing.blob for known in plain):
        return ""
    if accept_any:
        return f"the key of {showing.name} was not checked ({fingerprint(showing.blob)})"
    if plain:
        raise _changed(showing, plain)
    if accept_new:
        return _note(showing)
    raise _unknown(showing, keys)


def _note(showing: Showing) -> str:
    path = showing.paths[0]
    line = f"{showing.name} {showing.kind} {base64.b64encode(showing.blob).decode()}\n"
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(fd, "ab") as handle:
            handle.write(line.encode())
    except OSError as error:
        return f"the new key of {showing.name} was accepted, but not noted in {path}: {error.strerror}"
    return f"the new key of {showing.name} was accepted and noted in {path} ({fingerprint(showing.blob)})"


def _scan(showing: Showing) -> str:
    port = "" if showing.port == 22 else f"-p {showing.port} "
    return f"ssh-keyscan {port}{showing.hostname} >> {showing.paths[0]}"


def _compare(showing: Showing) -> str:
    return (
        f"Compare {fingerprint(showing.blob)} with what the host itself says:\n"
        f"  ssh-keygen -lf /etc/ssh/ssh_host_{_short(showing.kind)}_key.pub"
    )


def _short(kind: str) -> str:
    return "rsa" if "rsa" in kind else "ecdsa" if "ecdsa" in kind else "ed25519"


def _unknown(showing: Showing, keys: Sequence[KnownKey]) -> HostKeyRefused:
    message = f"the {_short(showing.kind)} key of {showing.name} is not known ({fingerprint(showing.blob)})"
    if any(known.marker == "@cert-authority" for known in keys):
        message += "; certificate authorities in known_hosts are not supported"
    remedy = f"{_compare(showing)}\nIf they are equal, note the key:\n  {_scan(showing)}"
    return HostKeyRefused("host-key-unknown", message, remedy)


def _changed(showing: Showing, plain: Sequence[KnownKey]) -> HostKeyRefused:
    old = next((known for known in plain if known.kind == showing.kind), plain[0])
    message = (
        f"the key of {showing.name} has changed: it shows {_short(showing.kind)} {fingerprint(showing.blob)}, "
        f"{old.place} knows {_short(old.kind)} {fingerprint(old.blob)}"
    )
    remedy = (
        "Somebody may be listening in, or the host was set up again. "
        f"{_compare(showing)}\nIf they are equal, replace the old key:\n"
        f"  ssh-keygen -f {old.path} -R '{showing.name}' && {_scan(showing)}"
    )
    return HostKeyRefused("host-key-changed", message, remedy)


def _revoked(showing: Showing, known: KnownKey) -> HostKeyRefused:
    message = f"the key of {showing.name} ({fingerprint(showing.blob)}) is revoked by {known.place}"
    return HostKeyRefused("host-key-revoked", message, "Do not log in there; ask who revoked the key.")
