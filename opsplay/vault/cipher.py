"""The vault format, 1.1 and 1.2: AES-256 in counter mode, PBKDF2-SHA256 of 10,000 rounds, HMAC-SHA256, in hex."""

from __future__ import annotations

import os
from binascii import Error as BadHex
from binascii import hexlify, unhexlify
from hmac import compare_digest

from opsplay.lazy_dataclass import dataclass

MARK = "$ANSIBLE_VAULT"
CIPHER = "AES256"
DEFAULT_ID = "default"
LINE_LENGTH = 80
SALT_SIZE = 32
ROUNDS = 10_000
BLOCK_BITS = 128


class NotVault(ValueError):
    """The text is not in the vault format; the message says in what."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a vault text says of itself: its format, the id it names (1.2) and its encrypted body."""

    version: str
    vault_id: str
    salt: bytes
    digest: bytes
    ciphertext: bytes


def is_vault(text: str | bytes) -> bool:
    head = text if isinstance(text, str) else text[:64].decode("ascii", "replace")
    return head.lstrip().startswith(MARK + ";")


def parse(text: str | bytes) -> Envelope:
    """The envelope of a vault text, however it was indented. Raises NotVault."""
    raw = text if isinstance(text, str) else text.decode("ascii", "replace")
    lines = [line.strip() for line in raw.strip().splitlines()]
    header = lines[0].split(";") if lines else []
    if len(header) < 3 or header[0] != MARK:
        raise NotVault(f"it does not start with {MARK};")
    version, cipher = header[1], header[2].strip()
    if version not in ("1.1", "1.2"):
        raise NotVault(f"vault format {version} is unknown (1.1 and 1.2 are known)")
    if cipher != CIPHER:
        raise NotVault(f"the cipher {cipher} is unknown ({CIPHER} is known)")
    vault_id = header[3].strip() if len(header) > 3 and version == "1.2" else DEFAULT_ID
    return Envelope(version, vault_id, *_body("".join(lines[1:])))


def _body(digits: str) -> tuple[bytes, bytes, bytes]:
    try:
        salt, digest, ciphertext = unhexlify(digits).split(b"\n", 2)
        return unhexlify(salt), unhexlify(digest), unhexlify(ciphertext)
    except ValueError as error:
        detail = f" (Vault format unhexlify error: {error})" if isinstance(error, BadHex) else ""
        raise NotVault(f"its body is cut off or not hexadecimal{detail}") from None


def _keys(password: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """The keys for the cipher and the digest, and the first counter block."""
    from hashlib import pbkdf2_hmac

    derived = pbkdf2_hmac("sha256", password, salt, ROUNDS, 80)
    return derived[:32], derived[32:64], derived[64:]


def open_envelope(envelope: Envelope, password: bytes) -> bytes | None:
    """The plaintext, or None where the password does not fit."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    key, digest_key, counter = _keys(password, envelope.salt)
    if not compare_digest(_digest(digest_key, envelope.ciphertext), envelope.digest):
        return None
    decryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    unpadder = PKCS7(BLOCK_BITS).unpadder()
    padded = decryptor.update(envelope.ciphertext) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _digest(key: bytes, ciphertext: bytes) -> bytes:
    import hashlib
    import hmac

    return hmac.new(key, ciphertext, hashlib.sha256).digest()


def seal(plaintext: bytes, password: bytes, vault_id: str | None = None, salt: bytes | None = None) -> str:
    """A vault text, ending in a line break: format 1.2 where it names an id other than `default`, else 1.1."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    salt = os.urandom(SALT_SIZE) if salt is None else salt
    key, digest_key, counter = _keys(password, salt)
    padder = PKCS7(BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    ciphertext = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    parts = (hexlify(salt), hexlify(_digest(digest_key, ciphertext)), hexlify(ciphertext))
    body = hexlify(b"\n".join(parts)).decode("ascii")
    header = f"{MARK};1.2;{CIPHER};{vault_id}" if vault_id and vault_id != DEFAULT_ID else f"{MARK};1.1;{CIPHER}"
    lines = [body[start : start + LINE_LENGTH] for start in range(0, len(body), LINE_LENGTH)]
    return "\n".join([header, *lines]) + "\n"
