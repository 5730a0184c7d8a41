"""Literals: the value of KEY=VALUE in an INI inventory: a Python literal where it reads as one, else text."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache

from opsplay.errors import Where
from opsplay.templating.values import compile_plain

_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})$")
_CERTAINLY_TEXT = re.compile(r"(?!(?:True|False|None)\b)[A-Za-z_/~@.][\w./@:+~ -]*$|[0-9]+(?:\.[0-9]+){2,}$", re.ASCII)
_LITERALS: dict[str, object] = {"True": True, "False": False, "None": None}
_LONGEST = 65_536


def literal(text: str, where: Where | None = None) -> object:
    """The value of a text, its strings compiled to templates where they hold Jinja."""
    if text in _LITERALS:
        return _LITERALS[text]
    if _WHOLE_NUMBER.match(text):
        return int(text)
    if _CERTAINLY_TEXT.match(text):
        return text
    value = _evaluated(text)
    return compile_plain(value, where)


@lru_cache(maxsize=4096)
def _evaluated(text: str) -> object:
    if len(text) > _LONGEST:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(ast.literal_eval(text), text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _plain(value: object, text: str) -> object:
    """What YAML could say as well: tuples and sets are lists, bytes are text, and what is neither stays as written."""
    if isinstance(value, (list, tuple)):
        return [_plain(item, repr(item)) for item in value]
    if isinstance(value, (set, frozenset)):
        return [_plain(item, repr(item)) for item in sorted(value, key=repr)]
    if isinstance(value, dict):
        return {_plain(key, repr(key)): _plain(item, repr(item)) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is Ellipsis:
        return "..."
    return text if isinstance(value, complex) else value
