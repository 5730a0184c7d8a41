"""Text files: bytes to checked text: size, encoding, characters that deceive, and vault-encrypted wholes opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from opsplay.errors import Fault, OpsError, Where
from opsplay.source.limits import Limits

VAULT_MARK = b"$ANSIBLE_VAULT;"
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_FORBIDDEN_ASCII = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Opener(Protocol):
    """What opens a vault-encrypted text (`vault.VaultSecrets`)."""

    def decrypt(self, text: str | bytes, where: Where | None = None) -> bytes: ...


def read_bytes(path: str, limits: Limits) -> bytes:
    """The bytes of a file, never more than the limit allows."""
    try:
        with open(path, "rb") as file:
            data = file.read(limits.size + 1)
    except OSError as error:
        raise cannot_read(path, error) from None
    if len(data) > limits.size:
        raise too_big(data, path, limits)
    return data


def cannot_read(path: str, error: OSError) -> OpsError:
    return OpsError(
        "cannot-read-file",
        f"cannot be read: {error.strerror or error}",
        Where(path),
        "Check the path and its permissions." if Path(path).exists() else "Check the path.",
        fault=Fault.USAGE,
    )


def too_big(data: bytes, path: str, limits: Limits) -> OpsError:
    start = data.rfind(b"\n", 0, limits.size) + 1
    where = Where(path, data.count(b"\n", 0, limits.size) + 1, limits.size - start + 1)
    return OpsError(
        "text-too-big",
        f"the text is bigger than {limits.size:,} bytes",
        where,
        "Keep data files out of playbooks: read them with a lookup or copy them with the copy module.",
    )


def decode(data: bytes, path: str) -> str:
    """UTF-8 text without its byte order mark, free of characters that an editor would not show."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        remedy = f"Convert it: iconv -f utf-16 -t utf-8 {path}"
        raise OpsError("text-not-utf8", "the text is UTF-16, not UTF-8", Where(path, 1, 1), remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place_of_byte(data, error.start)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise OpsError(
            "text-not-utf8", message, Where(path, line, column), "Save the file in UTF-8; recode or iconv converts it."
        ) from None
    check_characters(text, path)
    return text


def _place_of_byte(data: bytes, offset: int) -> tuple[int, int]:
    start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[start:offset].decode("utf-8", "replace")) + 1


def place_of(text: str, offset: int, path: str) -> Where:
    """The line and column of an offset in a text."""
    return Where(path, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def check_characters(text: str, path: str) -> None:
    """Refuse control characters, bidirectional overrides and marks that make a text read other than it runs."""
    found = (_FORBIDDEN_ASCII if text.isascii() else _FORBIDDEN).search(text)
    if not found:
        return
    import unicodedata

    char = found.group()
    name = unicodedata.name(char, {"\x00": "NUL", "\x1b": "ESCAPE"}.get(char, "a control character"))
    raise OpsError(
        "text-has-hidden-character",
        f"U+{ord(char):04X} ({name}) is invisible and not allowed in a text",
        place_of(text, found.start(), path),
        f'Remove it, or write it as an escape in double quotes: "\\u{ord(char):04X}".',
    )


def open_vaulted(data: bytes, path: str, vault: Opener | None) -> bytes:
    """The bytes themselves, or what they decrypt to where the whole file is vault-encrypted."""
    if not data.startswith(VAULT_MARK):
        return data
    if vault is None:
        raise OpsError(
            "vault-no-secret",
            "Attempting to decrypt but no vault secrets found",
            Where(path, 1, 1),
            "Give one with --vault-password-file FILE, --vault-id ID@FILE or --ask-vault-pass.",
            fault=Fault.USAGE,
        )
    return vault.decrypt(data, Where(path, 1, 1))


def read_text(path: str, limits: Limits, vault: Opener | None = None) -> str:
    """A file's checked text, opened where it is vault-encrypted."""
    return decode(open_vaulted(read_bytes(path, limits), path, vault), path)
