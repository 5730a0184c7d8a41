"""Passwords: does a stored verifier already belong to this one? The password itself never travels to find out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

SCRAM = re.compile(r"^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$")


def is_verifier(text: str) -> bool:
    return bool(SCRAM.match(text)) or bool(re.fullmatch(r"md5[0-9a-f]{32}", text))


def matches(stored: str | None, password: str, role: str) -> bool:
    if stored is None:
        return password == ""
    if is_verifier(password):
        return hmac.compare_digest(stored, password)
    found = SCRAM.match(stored)
    if not found:
        wanted = "md5" + hashlib.md5((password + role).encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(stored, wanted)
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), base64.b64decode(found[2]), int(found[1]))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(base64.b64encode(hashlib.sha256(client).digest()).decode(), found[3])


def verifier(password: str, iterations: int = 4096) -> str:
    """A SCRAM verifier made here, so that no log of the server ever shows the password."""
    import secrets

    if is_verifier(password):
        return password
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _prepared(password: str) -> str:
    """SASLprep as far as PostgreSQL needs it: NFKC for what is not plain ASCII."""
    import unicodedata

    return password if password.isascii() else unicodedata.normalize("NFKC", password)
