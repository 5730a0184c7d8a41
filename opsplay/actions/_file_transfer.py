"""How a file of the controller gets to a host: small ones with the first step, larger ones only if they differ."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.actions._pieces import IN_FLIGHT, PIECE, aligned, large_file, piece_size, sha1_of, status_key, under_way
from opsplay.errors import OpsError
from opsplay.lazy_dataclass import dataclass
from opsplay.transport.protocol import Unreachable

if TYPE_CHECKING:
    from opsplay.actions.context import Context

INLINE = 256 * 1024  # sent without asking whether the host has it already
WHOLE = 4 * 1024 * 1024  # held in memory; what is larger stays a file
HASHED_FIRST = 16 * 1024 * 1024  # of a larger one a checksum is only found for a host that has one of the same length
VAULT_HEADER = b"$ANSIBLE_VAULT;"
FIRST = tuple[str, dict[str, Any], bytes | None]  # module, arguments, body
PLACE = ("dest", "real", "name", "src", "follow", "force", "unsafe_writes")


@dataclass(slots=True)
class Content:
    """What is to be sent: bytes, or a file too large to hold in memory."""

    data: bytes | None
    path: Path | None
    key: tuple[int, ...]
    size: int
    _sha1: str = ""

    @property
    def inline(self) -> bool:
        return self.size <= INLINE

    @property
    def sha1(self) -> str:
        """Of a large file this may take a while; `hashed` lets others go on meanwhile."""
        if not self._sha1:
            assert self.path is not None
            self._sha1 = sha1_of(self.path, self.key).result()
        return self._sha1

    @property
    def is_hashed(self) -> bool:
        return bool(self._sha1)

    async def hashed(self) -> None:
        if not self._sha1 and self.path is not None:
            self._sha1 = await asyncio.shield(asyncio.wrap_future(sha1_of(self.path, self.key)))

    @property
    def has_changed(self) -> bool:
        """Whether the file is another one than it was when this was made of it."""
        try:
            return self.path is not None and status_key(os.stat(self.path)) != self.key
        except OSError:
            return True

    @classmethod
    def of(cls, data: bytes) -> Content:
        return cls(data, None, (), len(data), hashlib.sha1(data).hexdigest())

    @classmethod
    def of_file(cls, path: Path, context: Context | None = None, decrypt: bool = False) -> Content:
        """The file's content; an encrypted one is decrypted where that is asked for. Raises OpsError."""
        try:
            with open(path, "rb") as handle:
                start = handle.read(len(VAULT_HEADER))
                status = os.fstat(handle.fileno())
                if start == VAULT_HEADER and decrypt and context is not None:
                    return cls.of(decrypted(start + handle.read(), path, context))
                if status.st_size <= WHOLE:
                    return cls.of(start + handle.read())
                return cls(None, path, status_key(status), status.st_size)
        except OSError as error:
            raise OpsError("unreadable-file", f"cannot read {path}: {error.strerror}", remedy=f"Look at it: ls -l {path}") from None

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Offset and bytes; those of a file are shared with other hosts that it is sent to."""
        source = large_file(self.path) if self.path is not None else None
        offset = 0
        while offset < self.size:
            size = aligned(piece_size(), offset)
            piece = source.piece(offset, size) if source is not None else (self.data or b"")[offset : offset + size]
            if not piece:  # the file was cut off meanwhile: the checksum will say so
                return
            yield offset, piece
            offset += len(piece)


def decrypted(ciphertext: bytes, path: Path, context: Context) -> bytes:
    """The plain content of a file encrypted by ansible-vault. Raises OpsError."""
    vault = context.templar.vault
    if not vault:
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
    if content.size > HASHED_FIRST and not context.check and not context.diff and not args.get("checksum"):
        async with Transfer(context, {**args, "size": content.size}) as transfer:
            if not transfer.asked:
                return await transfer.put(args, content)
    await content.hashed()
    name, arguments, body = first(args, content)
    result = await context.module(name, arguments, body=body)
    if not result.pop("needs_content", False):
        return result
    if content.data is not None and content.size <= PIECE:
        return await context.module(name, arguments, body=content.data)
    async with Transfer(context, {**args, "real": str(result["dest"])}) as transfer:
        return await transfer.put(args, content)


class Transfer:
    """Content on its way to one host, in pieces, by way of a file there that is gone behind, unless it was put in place.

    `began` is what the host said at first: it may have failed, or ask for the checksum.
    """

    def __init__(self, context: Context, args: Mapping[str, Any], check: bool | None = None) -> None:
        self.context = context
        self.token = os.urandom(12).hex()
        self.began: dict[str, Any] = {}
        self._args = {name: args[name] for name in (*PLACE, "size", "aside") if args.get(name) is not None} | {"md5": context.is_read}
        self._check = check
        self._flight: deque[asyncio.Task[dict[str, Any]]] = deque()
        self._settled = False
        self._counted = under_way()

    async def __aenter__(self) -> Transfer:
        self._counted.__enter__()
        self.began = await self._call({**self._args, "token": self.token})
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._counted.__exit__(None, None, None)
        for piece in self._flight:
            piece.cancel()
        await asyncio.gather(*self._flight, return_exceptions=True)
        if not self._settled and "part" in self.began and not isinstance(error, Unreachable):
            await self._call({"token": self.token, "offset": -1})

    @property
    def asked(self) -> bool:
        return bool(self.began.get("ask"))

    async def put(self, args: Mapping[str, Any], content: Content) -> dict[str, Any]:
        """Send it, and have it put in place."""
        refused = await self.send(content)
        if refused is not None:
            return refused
        if content.has_changed:
            return {"failed": True, "changed": False, "msg": f"{content.path} has changed while it was sent; nothing was changed on the host"}
        known = {"sha1": content.sha1} if content.is_hashed else {}  # otherwise the host's own: SSH has kept the content whole
        result = await self.context.module("_copy", {**args, **known, "source": "sent", "token": self.token})
        self._settled = bool(result.get("changed")) and not result.get("failed")
        return result

    async def send(self, content: Content) -> dict[str, Any] | None:
        """What the host said against it, or None when all is there."""
        if self.began.get("failed"):
            return self.began
        for offset, piece in content.pieces():
            refused = await self._answered(IN_FLIGHT - 1)
            if refused is not None:
                return refused
            self._flight.append(asyncio.ensure_future(self._call({"token": self.token, "offset": offset}, piece)))
        return await self._answered(0)

    async def _answered(self, left: int) -> dict[str, Any] | None:
        while len(self._flight) > left:
            received = await self._flight.popleft()
            if received.get("failed"):
                return received
        return None

    async def _call(self, args: dict[str, Any], body: bytes | None = None) -> dict[str, Any]:
        return await self.context.module("_receive", args, body=body, check=self._check)
