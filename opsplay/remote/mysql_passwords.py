"""Passwords as MySQL and MariaDB keep them, to tell whether one is the one that a user has."""

import hashlib

ORDER = ((0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14), (15, 25, 5), (6, 16, 26), (27, 7, 17), (18, 28, 8), (9, 19, 29))
LETTERS = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def native_hash(password):
    """mysql_native_password: SHA-1 of SHA-1."""
    if not password:
        return ""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode("utf-8")).digest()).hexdigest().upper()


def caching_sha2_fits(password, stored):
    """caching_sha2_password keeps `$A$005$`, 20 bytes of salt and 43 letters; 005 are the thousands of rounds."""
    if not stored or not password:
        return not stored and not password
    kept = stored.encode("utf-8", "surrogateescape")
    if not kept.startswith(b"$A$") or len(kept) != 70:
        return False
    return kept[27:] == sha256_crypt(password.encode("utf-8"), kept[7:27], int(kept[3:6], 16) * 1000)


def sha256_crypt(password, salt, rounds):
    """The 43 letters of the SHA-256 scheme that crypt(3) calls $5$, for a salt of any bytes."""
    other = hashlib.sha256(password + salt + password).digest()
    mixed = hashlib.sha256(password + salt + stretched(other, len(password)))
    bits = len(password)
    while bits:
        mixed.update(other if bits & 1 else password)
        bits >>= 1
    digest = mixed.digest()
    secret = stretched(hashlib.sha256(password * len(password)).digest(), len(password))
    grain = stretched(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        turn = hashlib.sha256(secret if number & 1 else digest)
        turn.update((grain if number % 3 else b"") + (secret if number % 7 else b"") + (digest if number & 1 else secret))
        digest = turn.digest()
    return letters(digest)


def stretched(block, size):
    return (block * (size // len(block) + 1))[:size]


def letters(digest):
    made = bytearray()
    for high, middle, low in ORDER:
        made += four(digest[high] << 16 | digest[middle] << 8 | digest[low], 4)
    return bytes(made + four(digest[31] << 8 | digest[30], 3))


def four(number, count):
    return bytes(LETTERS[number >> 6 * at & 63] for at in range(count))
