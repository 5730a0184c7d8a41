"""Filters over numbers and sizes."""

from __future__ import annotations

import math
import re
from typing import Any

from jinja2 import pass_environment
from jinja2.filters import do_max, do_min

from opsplay.templating.budget import check_bits
from opsplay.templating.texts import to_text

SUFFIXES = {unit: 1 << (10 * power) for power, unit in enumerate("BKMGTPEZY")}
SIZE = re.compile(r"^\s*(\d*\.?\d*)\s*([A-Za-z]+)?")
WORDS = dict(zip("BKMGTPEZY", ("byte", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta"), strict=True))


def log(value: Any, base: float = math.e) -> float:
    """The logarithm, natural unless a base is given."""
    try:
        return math.log10(value) if base == 10 else math.log(value, base)
    except TypeError as error:
        raise TypeError(f"log() can only be used on numbers: {error}") from None


def pow_(value: Any, power: Any) -> float:
    """The power, as a floating point number."""
    try:
        return math.pow(value, power)
    except TypeError as error:
        raise TypeError(f"pow() can only be used on numbers: {error}") from None


def root(value: Any, base: Any = 2) -> float:
    """The root, square unless a base is given."""
    try:
        return math.sqrt(value) if base == 2 else math.pow(value, 1.0 / float(base))
    except (TypeError, ValueError) as error:
        raise TypeError(f"root() can only be used on numbers: {error}") from None


@pass_environment
def min_(environment: Any, value: Any, **options: Any) -> Any:
    """The smallest item of a list."""
    return do_min(environment, value, **options)


@pass_environment
def max_(environment: Any, value: Any, **options: Any) -> Any:
    """The largest item of a list."""
    return do_max(environment, value, **options)


def human_readable(size: Any, isbits: bool = False, unit: str | None = None) -> str:
    """A size with a unit that people read: `1.00 GB`."""
    try:
        number = float(size)
    except (TypeError, ValueError) as error:
        raise TypeError(f"human_readable() failed on bad input: {error}") from None
    for suffix in reversed(SUFFIXES):
        limit = SUFFIXES[suffix]
        if (unit is None and number >= limit) or (unit is not None and unit.upper() == suffix):
            break
    else:
        suffix, limit = "B", 1
    base = "bits" if isbits else "Bytes"
    name = base if limit == 1 else suffix + base[0]
    return f"{number / limit:.2f} {name}"


def human_to_bytes(size: Any, default_unit: str | None = None, isbits: bool = False) -> int:
    """The number of bytes that a size such as `1.5 GB` says."""
    found = SIZE.match(to_text(size))
    if found is None or not found[1] or found[1] == ".":
        raise ValueError(f"can't interpret following string: {size}")
    unit = found[2] or default_unit
    if unit is None:
        return round(float(found[1]))
    letter = unit[0].upper()
    if letter not in SUFFIXES:
        raise ValueError(f"The suffix must be one of {', '.join(SUFFIXES)}: human_to_bytes() failed to convert {size}")
    _check_unit(unit, letter, isbits, size)
    check_bits(len(found[1]) * 4)
    return round(float(found[1]) * SUFFIXES[letter])


def _check_unit(unit: str, letter: str, isbits: bool, size: Any) -> None:
    """`MB` is bytes and `Mb` bits; whole words may be written too."""
    if len(unit) == 1:
        return
    kind = "bit" if isbits else "byte"
    words = {WORDS[letter] + kind, WORDS[letter] + kind + "s"} if letter != "B" else {kind, kind + "s"}
    if unit.lower() in words:
        return
    wanted = f"{letter}{'b' if isbits else 'B'}"
    if unit[0].upper() + unit[1:] not in (wanted, wanted + "s"):
        raise ValueError(
            f"human_to_bytes() failed to convert {size}. Value is not a valid string (expect {wanted} or {letter})"
        )


FILTERS = {
    "human_readable": human_readable,
    "human_to_bytes": human_to_bytes,
    "log": log,
    "max": max_,
    "min": min_,
    "pow": pow_,
    "root": root,
}
