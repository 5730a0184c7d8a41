"""The lookup `password`: a random password, kept in a file of the controller."""

from __future__ import annotations

import fcntl
import os
import secrets
import string
from collections.abc import Iterable
from random import Random
from typing import Any

from opsplay.templating.budget import check_width
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.lookups.tables import inline_options
from opsplay.templating.texts import to_text

OPTIONS: dict[str, Any] = {
    "length": 20,
    "encrypt": None,
    "chars": ["ascii_letters", "digits", ".,:-_"],
    "ident": None,
    "seed": None,
}


def password(call: LookupCall) -> list[Any]:
    """A password, made once and read from its file afterwards; `/dev/null` keeps none.

    Options: length=20, chars='ascii_letters,digits,.,:,-,_', encrypt, ident, seed.
    """
    return [_password(call, to_text(term)) for term in call.terms]


def _password(call: LookupCall, term: str) -> str:
    path, named = inline_options(term, OPTIONS)
    options = {**OPTIONS, **{name: call.options[name] for name in OPTIONS if name in call.options}, **named}
    check_width(int(options["length"]))
    if path == "/dev/null":
        made = make_password(options)
        return made if not options["encrypt"] else _encrypted(made, None, options)[0]
    path = os.path.join(call.basedir, os.path.expanduser(path))
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return _kept(path, options)


def _kept(path: str, options: dict[str, Any]) -> str:
    """Reads or writes the file under a lock, so that two runs agree on the password."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        before = stream.read().rstrip("\n")
        text, salt, ident = parse(before)
        text = text or make_password(options)
        result = text
        if options["encrypt"]:
            if options["ident"] is None and ident:
                options = {**options, "ident": ident}
            result, salt = _encrypted(text, salt, options)
        after = text + (f" salt={salt}" if options["encrypt"] and salt else f" salt={salt}" if salt else "")
        after += f" ident={options['ident']}" if options["encrypt"] and options["ident"] else ""
        if after != before:
            stream.seek(0)
            stream.truncate()
            stream.write(after + "\n")
    return result


def parse(text: str) -> tuple[str, str | None, str | None]:
    """The password, salt and ident that a password file holds."""
    ident = salt = None
    if " ident=" in text:
        text, _, ident = text.rpartition(" ident=")
    if " salt=" in text:
        text, _, salt = text.rpartition(" salt=")
    return text, salt, ident


def _encrypted(text: str, salt: str | None, options: dict[str, Any]) -> tuple[str, str]:
    from opsplay.templating.password_hashes import NAMES, SCHEMES, hash_password

    kind = to_text(options["encrypt"])
    scheme = SCHEMES.get(NAMES.get(kind, kind))
    if scheme is None:
        raise ValueError(f"{kind} is not in the list of supported password hashes")
    if salt is None:
        salt = "".join(secrets.choice(string.ascii_letters + string.digits + "./") for _ in range(scheme.salt_size))
        salt = salt[:-1] + "O" if scheme.salt_size == 22 else salt
    return hash_password(text, kind, salt, None, None, options["ident"]), salt


def make_password(options: dict[str, Any]) -> str:
    characters = "".join(dict.fromkeys(_characters(options["chars"])))
    chooser: Any = secrets.SystemRandom() if options["seed"] is None else Random(to_text(options["seed"]))
    return "".join(chooser.choice(characters) for _ in range(int(options["length"])))


def _characters(chars: Any) -> Iterable[str]:
    words = chars if isinstance(chars, list) else _comma_list(to_text(chars))
    for word in words:
        yield from getattr(string, word, word) if word.isidentifier() else word


def _comma_list(text: str) -> list[str]:
    """`ascii_letters,digits,,`: two commas mean a comma."""
    words = [word for word in text.replace(",,", ",\0").split(",") if word]
    return [word.replace("\0", ",") for word in words]


LOOKUPS = {"password": password}
