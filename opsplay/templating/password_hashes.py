"""Password hashes of crypt(3): by the system's libcrypt, else SHA-crypt in Python; bcrypt by its package."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import hashlib
import secrets
import string
from collections.abc import Callable
from typing import Any

from opsplay.lazy_dataclass import dataclass

ALPHABET = string.ascii_letters + string.digits + "./"
ITOA = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Scheme:
    """`implicit` rounds are not named in the hash; `default` ones are taken where none are asked."""

    ident: str
    salt_size: int
    default: int | None = None
    implicit: int | None = None
    limits: tuple[int, int] = (1000, 999_999_999)


SCHEMES = {
    "md5_crypt": Scheme("1", 8),
    "bcrypt": Scheme("2b", 22, 12, None, (4, 31)),
    "sha256_crypt": Scheme("5", 16, 535_000, 5000),
    "sha512_crypt": Scheme("6", 16, 656_000, 5000),
}
NAMES = {"md5": "md5_crypt", "blowfish": "bcrypt", "sha256": "sha256_crypt", "sha512": "sha512_crypt"}
# Enough for hours of hashing, and the bound on what an expression may ask for.
MOST_ROUNDS = {"sha256_crypt": 5_000_000, "sha512_crypt": 5_000_000, "bcrypt": 16}


def hash_password(
    password: str, kind: str, salt: str | None, salt_size: int | None, rounds: int | None, ident: str | None
) -> str:
    name = NAMES.get(kind, kind)
    if name not in SCHEMES:
        known = ", ".join([*NAMES, *SCHEMES])
        raise ValueError(f"{kind} is not in the list of supported passlib algorithms: {known}")
    if salt_size is not None and not isinstance(salt_size, int):
        raise TypeError("salt_size must be an integer")
    scheme = SCHEMES[name]
    rounds = _rounds(name, scheme, rounds)
    if name == "bcrypt":
        return _bcrypt(password, salt, rounds or 12, ident or scheme.ident)
    chosen = _salt(scheme, salt, salt_size)
    named = f"rounds={rounds}$" if rounds is not None and rounds != scheme.implicit else ""
    return crypt(password, f"${scheme.ident}${named}{chosen}")


def _rounds(name: str, scheme: Scheme, rounds: int | None) -> int | None:
    if scheme.default is None:
        return None
    asked = scheme.default if rounds is None else int(rounds)
    low, high = scheme.limits
    if not low <= asked <= min(high, MOST_ROUNDS[name]):
        raise ValueError(
            f"Could not hash the secret: invalid rounds {asked}: {name} takes {low} to {min(high, MOST_ROUNDS[name])}"
        )
    return asked


def _salt(scheme: Scheme, salt: str | None, size: int | None) -> str:
    if salt is None:
        return "".join(secrets.choice(ALPHABET) for _ in range(size or scheme.salt_size))
    bad = sorted(set(salt) - set(ALPHABET))
    if bad:
        raise ValueError(f"invalid characters in salt: {''.join(bad)!r}")
    return salt[: scheme.salt_size]


def _bcrypt(password: str, salt: str | None, rounds: int, ident: str) -> str:
    import bcrypt

    if salt is None:
        salt = bcrypt.gensalt(4).decode()[7:]
    if len(salt) != 22:
        raise ValueError("invalid salt size: bcrypt takes 22 characters")
    found = bcrypt.hashpw(password.encode()[:72], f"$2b${rounds:02}${salt}".encode()).decode()
    return f"${ident}${found[4:]}"


def crypt(password: str, setting: str) -> str:
    library = system_crypt()
    found = library(password.encode(), setting.encode()) if library else None
    if found and found.decode().startswith(setting.rpartition("$")[0]):
        return str(found.decode())
    return sha_crypt(password, setting)


@functools.cache
def system_crypt() -> Callable[[bytes, bytes], bytes | None] | None:
    path = ctypes.util.find_library("crypt")
    try:
        library: Any = ctypes.CDLL(path or "libcrypt.so.1")
        library.crypt.restype = ctypes.c_char_p
        library.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    except (OSError, AttributeError):
        return None
    return library.crypt  # type: ignore[no-any-return]


def sha_crypt(password: str, setting: str) -> str:
    """SHA-crypt as its public specification says (Drepper, 2008)."""
    kind, rest = setting[1], setting[3:]
    if kind not in "56":
        raise ValueError("this system has no libcrypt for MD5 passwords; use sha512")
    rounds, salt = 5000, rest
    if rest.startswith("rounds="):
        number, _, salt = rest[7:].partition("$")
        rounds = int(number)
    digest = hashlib.sha256 if kind == "5" else hashlib.sha512
    result = _mixed(password.encode(), salt.encode(), rounds, digest)
    return f"{setting}${_encoded(result, kind)}"


def _mixed(key: bytes, salt: bytes, rounds: int, digest: Any) -> bytes:
    size = digest().digest_size
    other = digest(key + salt + key).digest()
    start = key + salt + _fill(other, len(key))
    bits = len(key)
    while bits:
        start += other if bits & 1 else key
        bits >>= 1
    result: bytes = digest(start).digest()
    long_key = _fill(digest(key * len(key)).digest(), len(key))
    long_salt = _fill(digest(salt * (16 + result[0])).digest(), len(salt))
    assert size == len(result)
    for number in range(rounds):
        text = long_key if number & 1 else result
        if number % 3:
            text += long_salt
        if number % 7:
            text += long_key
        text += result if number & 1 else long_key
        result = digest(text).digest()
    return result


def _fill(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(result: bytes, kind: str) -> str:
    """Base 64 in crypt's own alphabet and byte order."""
    size, step = (30, 10) if kind == "5" else (63, 21)
    order: list[int] = []
    first, second, third = 0, step, 2 * step
    while len(order) < size:
        order += [first, second, third]
        first, second, third = (third + 1, first + 1, second + 1) if kind == "5" else (second + 1, third + 1, first + 1)
    text = "".join(_letters(result[a] << 16 | result[b] << 8 | result[c], 4) for a, b, c in _threes(order))
    last = _letters(result[31] << 8 | result[30], 3) if kind == "5" else _letters(result[63], 2)
    return text + last


def _threes(order: list[int]) -> list[tuple[int, int, int]]:
    return [(order[at], order[at + 1], order[at + 2]) for at in range(0, len(order), 3)]


def _letters(number: int, count: int) -> str:
    return "".join(ITOA[number >> (6 * at) & 63] for at in range(count))
