"""Filters for digests and password hashes."""

from __future__ import annotations

import hashlib
from typing import Any

from opsplay.templating.texts import to_text


def hash_(value: Any, hashtype: str = "sha1") -> str:
    """The digest of a text, in hexadecimal."""
    try:
        digest = hashlib.new(hashtype, usedforsecurity=False)
    except ValueError:
        raise ValueError(f"unsupported hash type {hashtype}") from None
    digest.update(to_text(value).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def checksum(value: Any) -> str:
    """The SHA-1 digest, as the modules report it."""
    return hash_(value, "sha1")


def md5(value: Any) -> str:
    """The MD5 digest."""
    return hash_(value, "md5")


def sha1(value: Any) -> str:
    """The SHA-1 digest."""
    return hash_(value, "sha1")


def password_hash(
    password: Any,
    hashtype: str = "sha512",
    salt: str | None = None,
    salt_size: int | None = None,
    rounds: int | None = None,
    ident: str | None = None,
) -> str:
    """The hash of a password, as /etc/shadow holds it."""
    from opsplay.templating.password_hashes import hash_password

    if not isinstance(password, (str, int, float)):
        raise TypeError(f"password_hash wants a text, not {type(password).__name__}")
    return hash_password(to_text(password), hashtype, salt, salt_size, rounds, ident)


FILTERS = {"checksum": checksum, "hash": hash_, "md5": md5, "password_hash": password_hash, "sha1": sha1}
