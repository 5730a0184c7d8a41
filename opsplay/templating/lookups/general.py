"""Lookups of community.general that roles use."""

from __future__ import annotations

import base64
import itertools
import os
import secrets
import string
from collections.abc import Mapping
from typing import Any

from opsplay.templating import patterns
from opsplay.templating.budget import check_items, check_width
from opsplay.templating.filters.mappings import merge
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.texts import to_text


def cartesian(call: LookupCall) -> list[Any]:
    """Every item of each list with every item of the others."""
    lists = [term if isinstance(term, list) else [term] for term in call.terms]
    size = 1
    for part in lists:
        size *= len(part)
        check_items(size)
    return [list(row) for row in itertools.product(*lists)]


def flattened(call: LookupCall) -> list[Any]:
    """The items of nested lists in one list."""
    return _flat(call.terms)


def _flat(terms: Any) -> list[Any]:
    found: list[Any] = []
    for term in terms:
        if term in ("None", "null", None):
            continue
        found += _flat(term) if isinstance(term, list) else [term]
    return found


def dependent(call: LookupCall) -> list[Any]:
    """Nested loops whose later lists may depend on earlier items; expressions see them in `item`."""
    rows: list[dict[str, Any]] = [{}]
    for term in call.terms:
        if not isinstance(term, Mapping) or len(term) != 1:
            raise ValueError("dependent expects dicts with one name each")
        name, source = next(iter(term.items()))
        rows = [{**row, name: item} for row in rows for item in _options(call, source, row)]
        check_items(len(rows))
    return rows


def _options(call: LookupCall, source: Any, row: dict[str, Any]) -> list[Any]:
    if isinstance(source, str):
        raise TypeError("an expression as text is data here; give a list or a dict")
    if isinstance(source, Mapping):
        return [{"key": key, "value": value} for key, value in source.items()]
    return list(source)


def random_string(call: LookupCall) -> list[Any]:
    """A random text, with at least so many characters of each kind.

    Options: length=8, upper, lower, numbers, special, min_upper, min_lower, min_numeric, min_special, override_all, override_special, ignore_similar_chars, base64.
    """
    length = int(call.option("length", 8))
    check_width(length)
    kinds = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numeric": string.digits}
    special = to_text(call.option("override_special") or string.punctuation)
    everything = _alphabet(call, special)
    chosen: list[str] = []
    for kind, letters in {**kinds, "special": special}.items():
        chosen += [secrets.choice(letters) for _ in range(int(call.option(f"min_{kind}", 0)))]
    if call.flag("override_all") or call.option("override_all"):
        everything = to_text(call.option("override_all"))
    chosen += [secrets.choice(everything) for _ in range(length - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    text = "".join(chosen)
    return [base64.b64encode(text.encode()).decode() if call.flag("base64") else text]


def _alphabet(call: LookupCall, special: str) -> str:
    parts = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numbers": string.digits}
    parts["special"] = special
    letters = "".join(text for name, text in parts.items() if call.flag(name, True))
    if call.flag("ignore_similar_chars"):
        similar = to_text(call.option("similar_chars", "il1LoO0"))
        letters = "".join(letter for letter in letters if letter not in similar)
    if not letters:
        raise ValueError("Available characters cannot be None, please change constraints")
    return letters


def merge_variables(call: LookupCall) -> list[Any]:
    """The variables whose names a pattern finds, merged: dicts into one, lists one after another.

    Options: pattern_type='regex', initial_value.
    """
    kind = call.option("pattern_type", "regex")
    found = []
    for term in call.terms:
        names = [name for name in sorted(call.scope.names()) if _fits(kind, to_text(term), name)]
        found.append(_merged([call.variable(name) for name in names], call.option("initial_value")))
    return found


def _fits(kind: str, pattern: str, name: str) -> bool:
    if kind == "prefix":
        return name.startswith(pattern)
    return name.endswith(pattern) if kind == "suffix" else patterns.search(pattern, name) is not None


def _merged(values: list[Any], initial: Any) -> Any:
    result = initial
    for value in values:
        if result is None:
            result = value
        elif isinstance(result, dict) and isinstance(value, dict):
            result = merge(result, value, True, "append")
        elif isinstance(result, list) and isinstance(value, list):
            result = result + value
        else:
            raise TypeError("merge_variables merges dicts with dicts and lists with lists")
    return result


def filetree(call: LookupCall) -> list[Any]:
    """Every file, folder and link under the `files/TERM` folders, with its attributes.

    Options: exclude.
    """
    found: list[Any] = []
    seen: set[str] = set()
    excluded = call.option("exclude")
    for term in call.terms:
        base = call.find_file("files", term)
        if base is None:
            continue  # a folder that is not there has no files
        for folder, folders, files in os.walk(base):
            folders.sort()
            for name in sorted([*folders, *files]):
                path = os.path.relpath(os.path.join(folder, name), base)
                if path not in seen and not (excluded and patterns.search(to_text(excluded), name, 0, "match")):
                    seen.add(path)
                    found.append(_entry(base, path))
    return found


def _entry(base: str, path: str) -> dict[str, Any]:
    full = os.path.join(base, path)
    status = os.lstat(full)
    entry: dict[str, Any] = {
        "path": path, "root": base + "/", "mode": f"0{status.st_mode & 0o7777:03o}", "uid": status.st_uid,
        "gid": status.st_gid, "size": status.st_size, "mtime": status.st_mtime, "ctime": status.st_ctime,
    }  # fmt: skip
    if os.path.islink(full):
        return {**entry, "state": "link", "src": os.readlink(full)}
    return {**entry, "state": "directory"} if os.path.isdir(full) else {**entry, "state": "file", "src": full}


LOOKUPS = {
    "cartesian": cartesian,
    "dependent": dependent,
    "filetree": filetree,
    "flattened": flattened,
    "merge_variables": merge_variables,
    "random_string": random_string,
}
