"""Hashes of passwords as web servers read them: made anew, and compared with one that is there."""

import base64
import hashlib
import os

from opsplay.remote.mysql_passwords import sha256_crypt
from opsplay.remote.spec import ModuleFailure

LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))
ROUNDS = 5000
MARKS = {"apr_md5_crypt": "$apr1$", "md5_crypt": "$1$", "sha256_crypt": "$5$", "sha512_crypt": "$6$"}


def made(system, scheme, password):
    """A new hash. ModuleFailure for a scheme that is not known here."""
    if scheme == "plaintext":
        return password
    if scheme == "ldap_sha1":
        return "{SHA}" + base64.b64encode(hashlib.sha1(password.encode("utf-8")).digest()).decode("ascii")
    if scheme not in MARKS:
        raise ModuleFailure("hash_scheme %s is not known here; there are: %s" % (scheme, ", ".join(sorted(MARKS) + ["ldap_sha1", "plaintext"])))
    salt = "".join(LETTERS[byte & 63] for byte in os.urandom(8 if "md5" in scheme else 16))
    return salted(system, MARKS[scheme], password, salt)


def fits(system, password, kept):
    """Whether the hash is one of that password, by whatever scheme it is; a hash of an unknown one fits none."""
    if kept.startswith("{SHA}"):
        return kept == made(system, "ldap_sha1", password)
    mark = next((mark for mark in MARKS.values() if kept.startswith(mark)), None)
    if mark is None:
        return kept == password
    fields = kept.split("$")
    salt = "$".join(fields[2:-1])
    return (not salt.startswith("rounds=")) and kept == salted(system, mark, password, salt)


def salted(system, mark, password, salt):
    if mark == "$6$":
        run = system.run(["openssl", "passwd", "-6", "-salt", salt, "-stdin"], input=password + "\n")
        if run.rc != 0:
            raise ModuleFailure("sha512_crypt needs openssl on the host: %s" % run.stderr.strip())
        return run.stdout.strip()
    if mark == "$5$":
        return mark + salt + "$" + sha256_crypt(password.encode("utf-8"), salt.encode("utf-8"), ROUNDS).decode("ascii")
    return mark + salt + "$" + md5_crypt(password.encode("utf-8"), salt.encode("utf-8"), mark.encode("ascii"))


def md5_crypt(password, salt, mark):
    """The 22 letters of the MD5 scheme; `mark` is $1$ or Apache's own $apr1$."""
    other = hashlib.md5(password + salt + password).digest()
    mixed = hashlib.md5(password + mark + salt + (other * (len(password) // 16 + 1))[:len(password)])
    bits = len(password)
    while bits:
        mixed.update(b"\0" if bits & 1 else password[:1])
        bits >>= 1
    digest = mixed.digest()
    for number in range(1000):
        turn = hashlib.md5(password if number & 1 else digest)
        turn.update((salt if number % 3 else b"") + (password if number % 7 else b"") + (digest if number & 1 else password))
        digest = turn.digest()
    groups = [digest[high] << 16 | digest[middle] << 8 | digest[low] for high, middle, low in ORDER]
    return "".join(four(group, 4) for group in groups) + four(digest[11], 2)


def four(number, count):
    return "".join(LETTERS[number >> 6 * at & 63] for at in range(count))
