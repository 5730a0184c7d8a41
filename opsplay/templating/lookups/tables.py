"""Lookups in CSV and INI files."""

from __future__ import annotations

import configparser
import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from opsplay.templating.failures import LookupFailed
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.texts import to_text
from opsplay.truth import truth

CSV_OPTIONS = {"file": "ansible.csv", "delimiter": "TAB", "encoding": "utf-8", "default": [], "col": 1, "keycol": 0}
INI_OPTIONS: dict[str, Any] = {
    "file": "ansible.ini",
    "section": "global",
    "re": False,
    "default": "",
    "type": "ini",
    "encoding": "utf-8",
    "case_sensitive": False,
    "allow_no_value": False,
    "interpolation": True,
}


def inline_options(term: Any, known: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """`KEY name=value ...` in one text, as the documentation's older form has it."""
    words = re.findall(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""", to_text(term))
    named: dict[str, str] = {}
    key: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in known:
            named[name] = unescaped(value.strip("\"'"))
        else:
            key.append(word)
    return " ".join(key), named


def unescaped(text: str) -> str:
    """`\\x1a` and the like as the character that they mean."""
    return text.encode("latin-1", "backslashreplace").decode("unicode-escape") if "\\" in text else text


def csvfile(call: LookupCall) -> list[Any]:
    """The value in a column of the row whose first column is the key.

    Options: file='ansible.csv', col=1, keycol=0, delimiter='TAB', encoding='utf-8', default=[].
    """
    found: list[Any] = []
    for term in call.terms or [""]:
        key, named = inline_options(term, CSV_OPTIONS)
        options = {**CSV_OPTIONS, **{name: call.options[name] for name in CSV_OPTIONS if name in call.options}, **named}
        options["col"] = _column(options["col"])
        if "=" in key:
            raise ValueError(f"{key.split('=')[0].split()[-1]} is not a valid option")
        if not key:
            raise ValueError("Search key is required but was not found")
        value = _cell(call, key, options)
        found += value if isinstance(value, list) else [value]
    return found


def _cell(call: LookupCall, key: str, options: dict[str, Any]) -> Any:
    delimiter = {"TAB": "\t", "\\t": "\t"}.get(options["delimiter"], options["delimiter"])
    path = call.need_file("files", options["file"])
    with open(path, encoding=options["encoding"], newline="") as stream:
        for row in csv.reader(stream, delimiter=to_text(delimiter)):
            if len(row) > int(options["keycol"]) and row[int(options["keycol"])] == key:
                return row[options["col"]]
    return options["default"]


def _column(value: Any) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"csvfile: the option 'col' has an invalid value: {value!r}") from None


def ini(call: LookupCall) -> list[Any]:
    """The value of a key in an INI or properties file.

    Options: file='ansible.ini', section='global', type='ini', re=false, default='', encoding='utf-8', case_sensitive=false, allow_no_value=false, interpolation=true.
    """
    parsers: dict[tuple[Any, ...], Any] = {}
    found: list[Any] = []
    given = {("allow_no_value" if name == "allow_none" else name): value for name, value in call.options.items()}
    base = {**INI_OPTIONS, **{name: value for name, value in given.items() if name in INI_OPTIONS}}
    for key, options in _asked(call, base):
        mark = (options["file"], options["type"], bool(truth(options["case_sensitive"])))
        if mark not in parsers:
            parsers[mark] = _parser(call, options)
        found += _values(parsers[mark], key, options)
    return found


def _asked(call: LookupCall, base: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A term may be `key`, `key option=value`, or option=value alone for the terms after it."""
    current = dict(base)
    for term in call.terms:
        text = to_text(term)
        if "=" not in text:
            yield text, current
            continue
        key, named = inline_options(term, INI_OPTIONS)
        if key and "=" in key:
            raise ValueError(f"{key.partition('=')[0]} is not a valid option.")
        if not key:
            raise LookupFailed("No key to look up was provided as first term within string inline options")
        current = {**current, **named}
        yield key, current


def _parser(call: LookupCall, options: dict[str, Any]) -> Any:
    interpolation = configparser.BasicInterpolation() if truth(options["interpolation"]) else None
    parser = configparser.ConfigParser(
        allow_no_value=bool(truth(options["allow_no_value"])), interpolation=interpolation, strict=True
    )
    if truth(options["case_sensitive"]):
        parser.optionxform = to_text  # type: ignore[method-assign,assignment]
    path = call.need_file("files", options["file"])
    text = call.read(path, to_text(options["encoding"]))
    if options["type"] == "properties":
        text = "[java_properties]\n" + text
    try:
        parser.read_file(io.StringIO(text))
    except configparser.DuplicateOptionError as error:
        raise LookupFailed(f"Duplicate option in {options['file']!r}: {error}") from None
    return parser


def _values(parser: Any, key: str, options: dict[str, Any]) -> list[Any]:
    section = "java_properties" if options["type"] == "properties" else to_text(options["section"])
    if truth(options["re"]):
        from opsplay.templating import patterns

        found = parser.items(section) if parser.has_section(section) else []
        return [value for name, value in found if patterns.search(key, name, re.IGNORECASE, "match")]
    try:
        value = parser.get(section, key, raw=not truth(options["interpolation"]))
    except configparser.NoOptionError:
        value = options["default"]
    except configparser.Error as error:
        raise LookupFailed(str(error)) from None
    return [] if value is None else value if isinstance(value, list) else [value]


LOOKUPS = {"csvfile": csvfile, "ini": ini}
