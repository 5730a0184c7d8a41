"""How a file of the controller gets to a host: small ones with the first step, larger ones only if they differ."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.errors import OpsError

if TYPE_CHECKING:
    from opsplay.actions.context import Context

INLINE = 256 * 1024  # sent without asking whether the host has it already
PIECE = 4 * 1024 * 1024  # the most that is sent at once
LEAST_PIECE, ALL_PIECES = 128 * 1024, 32 * 1024 * 1024  # where many hosts are sent to at once
VAULT_HEADER = b"$ANSIBLE_VAULT;"
FIRST = tuple[str, dict[str, Any], bytes | None]  # module, arguments, body


@dataclass(slots=True)
class Content:
    """What is to be sent: bytes, or a file too large to hold in memory."""

    data: bytes | None
    path: Path | None
    sha1: str
    size: int

    @property
    def inline(self) -> bool:
        return self.size <= INLINE

    @classmethod
    def of(cls, data: bytes) -> Content:
        return cls(data, None, hashlib.sha1(data).hexdigest(), len(data))

    @classmethod
    def of_file(cls, path: Path, context: Context | None = None, decrypt: bool = False) -> Content:
        """The file's content; an encrypted one is decrypted where that is asked for. Raises OpsError."""
        try:
            with open(path, "rb") as handle:
                start = handle.read(len(VAULT_HEADER))
                size = os.fstat(handle.fileno()).st_size
                if start == VAULT_HEADER and decrypt and context is not None:
                    return cls.of(decrypted(start + handle.read(), path, context))
                if size <= PIECE:
                    return cls.of(start + handle.read())
                return cls(None, path, large_file_sha1(path, status_key(os.fstat(handle.fileno()))), size)
        except OSError as error:
            raise OpsError("unreadable-file", f"cannot read {path}: {error.strerror}", remedy=f"Look at it: ls -l {path}") from None

    def pieces(self) -> Iterator[bytes]:
        if self.data is not None:
            for start in range(0, len(self.data), PIECE):
                yield self.data[start : start + PIECE]
            return
        assert self.path is not None
        with open(self.path, "rb") as handle:
            while piece := handle.read(piece_size()):
                yield piece


def status_key(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=64)
def large_file_sha1(path: Path, key: tuple[int, ...]) -> str:
    """Read once for all hosts, as long as `key` says that the file is the same."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha1").hexdigest()


def decrypted(ciphertext: bytes, path: Path, context: Context) -> bytes:
    """The plain content of a file encrypted by ansible-vault. Raises OpsError."""
    vault = context.templar.vault
    if vault is None or not vault.secrets:
        raise OpsError(
            "vault-no-password", f"A vault password or secret must be specified to decrypt {path}",
            remedy="Give one with --vault-password-file FILE or --ask-vault-pass, or set decrypt: false.",
        )  # fmt: skip
    text = vault.decrypt(ciphertext.decode("ascii", "replace"))
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def local_mode(mode: Any, path: Path) -> Any:
    """`preserve` is the source file's mode."""
    return f"{stat.S_IMODE(path.stat().st_mode):04o}" if mode == "preserve" else mode


def first(args: Mapping[str, Any], content: Content) -> FIRST:
    """The step that does it all for small content, and asks whether the host has it already for large content."""
    return "_copy", {**args, "sha1": content.sha1}, content.data if content.inline else None


async def send(context: Context, args: Mapping[str, Any], content: Content) -> dict[str, Any]:
    """The result of putting the content at args["dest"]."""
    name, arguments, body = first(args, content)
    result = await context.module(name, arguments, body=body)
    if not result.pop("needs_content", False):
        return result
    if content.data is not None and content.size <= PIECE:
        return await context.module(name, arguments, body=content.data)
    return await send_in_pieces(context, arguments, content, str(result["dest"]))


_sending: set[str] = set()  # tokens of the transfers under way, of all hosts


def piece_size() -> int:
    """Smaller the more hosts are being sent to: what is in memory stays bounded, and no host waits for another."""
    return max(LEAST_PIECE, min(PIECE, ALL_PIECES // max(1, len(_sending))))


async def send_in_pieces(context: Context, args: Mapping[str, Any], content: Content, dest: str) -> dict[str, Any]:
    """Through a file beside dest, so that neither side holds the whole content in memory."""
    transfer: dict[str, Any] = {"dest": dest, "token": os.urandom(12).hex(), "offset": 0}
    under_way: asyncio.Task[dict[str, Any]] | None = None
    _sending.add(transfer["token"])
    try:
        for piece in content.pieces():
            sent = asyncio.ensure_future(context.module("_receive", dict(transfer), body=piece))
            before, under_way = under_way, sent
            received = await (before or sent)  # one piece travels while the one before is written
            if received.get("failed"):
                return received
            transfer |= {"part": received["part"], "offset": transfer["offset"] + len(piece)}
        if under_way is not None and (received := await under_way).get("failed"):
            return received
        return await context.module("_copy", {**args, "source": "part", "part": transfer["part"]})
    finally:
        _sending.discard(transfer["token"])
        if under_way is not None and not under_way.done():
            under_way.cancel()
            await asyncio.gather(under_way, return_exceptions=True)
        if transfer["offset"]:
            await context.module("_receive", {**transfer, "offset": -1})
