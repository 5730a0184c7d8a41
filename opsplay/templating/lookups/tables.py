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
from opsplay.templating.texts import to_text, truth

CSV_OPTIONS = {"file": "ansible.csv", "delimiter": "TAB", "encoding": "utf-8", "default": None, "col": 1, "keycol": 0}
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
            named[name] = value.strip("\"'")
        elif equals and key:
            raise ValueError(f"{name} is not a valid option.")
        else:
            key.append(word)
    return " ".join(key), named


def csvfile(call: LookupCall) -> list[Any]:
    """The value in a column of the row whose first column is the key."""
    found: list[Any] = []
    for term in call.terms:
        key, named = inline_options(term, CSV_OPTIONS)
        options = {**CSV_OPTIONS, **{name: call.options[name] for name in CSV_OPTIONS if name in call.options}, **named}
        if not key:
            raise ValueError("Search key is required but was not found")
        value = _cell(call, key, options)
        if value is not None:
            found.append(value)
    return found


def _cell(call: LookupCall, key: str, options: dict[str, Any]) -> Any:
    delimiter = {"TAB": "\t", "\\t": "\t"}.get(options["delimiter"], options["delimiter"])
    path = call.need_file("files", options["file"])
    with open(path, encoding=options["encoding"], newline="") as stream:
        for row in csv.reader(stream, delimiter=to_text(delimiter)):
            if len(row) > int(options["keycol"]) and row[int(options["keycol"])] == key:
                return row[int(options["col"])]
    return options["default"]


def ini(call: LookupCall) -> list[Any]:
    """The value of a key in an INI or properties file."""
    parsers: dict[tuple[Any, ...], Any] = {}
    found: list[Any] = []
    base = {**INI_OPTIONS, **{name: call.options[name] for name in INI_OPTIONS if name in call.options}}
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
        key, named = inline_options(term, INI_OPTIONS) if "=" in text else (text, {})
        if not key:
            current.update(named)
            continue
        if not named and "=" not in text:
            key = text
        yield key, {**current, **named}


def _parser(call: LookupCall, options: dict[str, Any]) -> Any:
    interpolation = configparser.BasicInterpolation() if truth(options["interpolation"]) else None
    parser = configparser.ConfigParser(
        allow_no_value=bool(truth(options["allow_no_value"])), interpolation=interpolation, strict=True
    )
    if truth(options["case_sensitive"]):
        parser.optionxform = to_text  # type: ignore[method-assign,assignment]
    text = call.read(call.need_file("files", options["file"]))
    if options["type"] == "properties":
        text = "[java_properties]\n" + text
        options["section"] = "java_properties"
    parser.read_file(io.StringIO(text))
    return parser


def _values(parser: Any, key: str, options: dict[str, Any]) -> list[Any]:
    section = "java_properties" if options["type"] == "properties" else to_text(options["section"])
    if truth(options["re"]):
        from opsplay.templating import patterns

        found = parser.items(section) if parser.has_section(section) else []
        return [value for name, value in found if patterns.search(key, name, re.IGNORECASE, "match")]
    try:
        return [parser.get(section, key, raw=not truth(options["interpolation"]))]
    except (configparser.NoOptionError, configparser.NoSectionError):
        return _default(options)
    except configparser.Error as error:
        raise LookupFailed(f"{options['file']}: {error}") from None


def _default(options: dict[str, Any]) -> list[Any]:
    value = options["default"]
    return value if isinstance(value, list) else [value]


LOOKUPS = {"csvfile": csvfile, "ini": ini}
