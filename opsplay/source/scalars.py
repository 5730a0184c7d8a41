"""Scalars: what a plain YAML 1.1 word means: a boolean, a number, a date, nothing, or simply text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

LONGEST_WORD = 256
FIRST_CHARACTERS = frozenset("yYnNtTfFoO-+0123456789.~")

WORDS: dict[str, object] = {"": None, "~": None}
WORDS.update({form: None for form in ("null", "Null", "NULL")})
for _true, _false in (("yes", "no"), ("true", "false"), ("on", "off")):
    WORDS.update({form: True for form in (_true, _true.capitalize(), _true.upper())})
    WORDS.update({form: False for form in (_false, _false.capitalize(), _false.upper())})

_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$"
    r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?$"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$"
    r"|[-+]?\.(?:inf|Inf|INF)$"
    r"|\.(?:nan|NaN|NAN)$"
)
_INT = re.compile(
    r"[-+]?0b[0-1_]+$|[-+]?0[0-7_]+$|[-+]?(?:0|[1-9][0-9_]*)$|[-+]?0x[0-9a-fA-F_]+$"
    r"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$"
)
_DATE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"
    r"(?:(?:[Tt]|[ \t]+)(?P<hour>\d\d?):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d*))?"
    r"(?:[ \t]*(?P<zone>Z|(?P<sign>[-+])(?P<zone_hour>\d\d?)(?::(?P<zone_minute>\d\d))?))?)?$",
    re.ASCII,
)
_SHORT_DATE = re.compile(r"\d{4}-\d\d-\d\d$", re.ASCII)
_NUMBER_ONLY = re.compile(r"[-+0-9:_.]+$")


class NumberTooLong(ValueError):
    """A number of more characters than anybody means."""


def resolve(text: str) -> object:
    """The value of a plain (unquoted, untagged) scalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in FIRST_CHARACTERS:
        return text
    if len(text) > LONGEST_WORD:
        if _NUMBER_ONLY.match(text):
            raise NumberTooLong(text[:20])
        return text
    return _number_or_date(text)


def _number_or_date(text: str) -> object:
    if _INT.match(text):
        return integer(text)
    if _FLOAT.match(text):
        return floating(text)
    moment = _DATE.match(text)
    if moment and (moment["hour"] or _SHORT_DATE.match(text)):
        try:
            return _moment(moment)
        except ValueError:
            return text
    return text


def _base_sixty(digits: str, convert: Callable[[str], float]) -> float:
    total: float = 0
    for part in digits.split(":"):
        total = total * 60 + convert(part)
    return total


def integer(text: str) -> int:
    """An int of any of YAML 1.1's five notations; ValueError where it is none."""
    if len(text) > LONGEST_WORD:
        raise NumberTooLong(text[:20])
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits.startswith("0b"):
        return sign * int(digits[2:] or "0", 2)
    if digits.startswith("0x"):
        return sign * int(digits[2:] or "0", 16)
    if ":" in digits:
        return sign * int(_base_sixty(digits, int))
    return sign * int(digits, 8 if digits.startswith("0") and len(digits) > 1 else 10)


def floating(text: str) -> float:
    """A float, base sixty included; ValueError where it is none."""
    if len(text) > LONGEST_WORD:
        raise NumberTooLong(text[:20])
    digits = text.replace("_", "").lower()
    sign = -1.0 if digits.startswith("-") else 1.0
    digits = digits.lstrip("+-")
    if digits in (".inf", ".nan"):
        return sign * float(digits[1:])
    return sign * (_base_sixty(digits, float) if ":" in digits else float(digits))


def timestamp(text: str) -> date | datetime:
    """A `!!timestamp`; ValueError where it is none."""
    found = _DATE.match(text)
    if not found:
        raise ValueError(text)
    return _moment(found)


def _moment(found: re.Match[str]) -> date | datetime:
    day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    if not found["hour"]:
        return day
    micro = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    clock = time(int(found["hour"]), int(found["minute"]), int(found["second"]), micro)
    return datetime.combine(day, clock, _zone(found) if found["zone"] else None)


def _zone(found: re.Match[str]) -> timezone:
    if not found["sign"]:
        return UTC
    offset = timedelta(hours=int(found["zone_hour"]), minutes=int(found["zone_minute"] or 0))
    return timezone(-offset if found["sign"] == "-" else offset)
