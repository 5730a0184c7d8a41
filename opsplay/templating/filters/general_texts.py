"""Filters of community.general that read or write text."""

from __future__ import annotations

import configparser
import csv
import io
import random
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from opsplay.templating.failures import TemplateFailed
from opsplay.templating.texts import to_text

MAC_PREFIX = re.compile(r"^([0-9A-Fa-f]{2})(:[0-9A-Fa-f]{2}){0,5}:?$")


def json_query(data: Any, expr: str) -> Any:
    """The part of the data that a JMESPath expression selects."""
    try:
        import jmespath  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise TemplateFailed(
            "json_query needs the package jmespath", remedy="Install it: pip install 'opsplay[jmespath]'"
        ) from None
    return jmespath.search(expr, data)


def random_mac(value: Any, seed: Any = None) -> str:
    """A MAC address that begins with the given bytes."""
    text = to_text(value).lower()
    if not MAC_PREFIX.match(text):
        raise ValueError(f"Invalid value ({value}) for random_mac: not hexadecimal bytes")
    parts = text.strip(":").split(":")
    chooser: random.Random = random.SystemRandom() if seed is None else random.Random(seed)
    if len(parts) > 5:
        raise ValueError(f"Invalid value {value} for random_mac: 5 colon(:) separated items max")
    rest = f"{chooser.randrange(0, 16 ** (2 * (6 - len(parts)))):0{2 * (6 - len(parts))}x}"
    return ":".join([*parts, *re.findall("..", rest)])


def from_csv(
    data: Any, dialect: str = "excel", fieldnames: Any = None, delimiter: str | None = None,
    skipinitialspace: bool | None = None, strict: bool | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The rows of a CSV text as dicts."""
    given = {"delimiter": delimiter, "skipinitialspace": skipinitialspace, "strict": strict}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    stream = io.StringIO(to_text(data), newline="")
    return [dict(row) for row in csv.DictReader(stream, fieldnames, dialect=dialect, **options)]


def from_ini(value: Any, delimiters: Any = ("=", ":")) -> dict[str, dict[str, str | None]]:
    """The sections of an INI text as dicts."""
    parser = configparser.RawConfigParser(delimiters=tuple(delimiters))
    parser.optionxform = to_text  # type: ignore[method-assign,assignment]
    parser.read_string(to_text(value))
    found: dict[str, dict[str, str | None]] = {name: dict(parser.items(name)) for name in parser.sections()}
    if parser.defaults():
        found["DEFAULT"] = dict(parser.defaults())
    return found


def to_ini(value: Any) -> str:
    """A dict of dicts as INI text."""
    if not isinstance(value, Mapping) or not value:
        raise TypeError(f"to_ini requires a dict that is not empty, got {type(value)}")
    parser = configparser.RawConfigParser()
    parser.optionxform = to_text  # type: ignore[method-assign,assignment]
    parser.read_dict(value)
    stream = io.StringIO()
    parser.write(stream)
    return stream.getvalue()


def unicode_normalize(value: Any, form: str = "NFC") -> str:
    """The text in a Unicode normal form."""
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise ValueError(f"Invalid form ({form}) for unicode_normalize")
    return unicodedata.normalize(form, to_text(value))  # type: ignore[arg-type]


FILTERS = {
    "from_csv": from_csv,
    "from_ini": from_ini,
    "json_query": json_query,
    "random_mac": random_mac,
    "to_ini": to_ini,
    "unicode_normalize": unicode_normalize,
}
