"""Filters of ansible.utils over nested data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import pass_environment

from opsplay.templating.texts import is_list

IDENTIFIER = re.compile(r"^[A-Za-z_]\w*$")
STEP = re.compile(r"""\.?([A-Za-z_]\w*)|\[\s*(-?\d+)\s*\]|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]""")


def steps_of(path: str) -> list[str | int]:
    steps: list[str | int] = []
    position = 0
    for found in STEP.finditer(path):
        if found.start() != position:
            break
        position = found.end()
        name, number, single, double = found.groups()
        word = next((word for word in (name, single, double) if word is not None), "")
        steps.append(word if number is None else int(number))
    if position != len(path):
        raise ValueError(f"not a path: {path!r}")
    return steps


@pass_environment
def get_path(environment: Any, var: Any, path: str, wantlist: bool = False) -> Any:
    """The value that a path such as `a.b[0].c` leads to."""
    value = var
    for step in steps_of(path):
        value = environment.getitem(value, step)
    return [value] if wantlist and not isinstance(value, list) else value


@pass_environment
def index_of(
    environment: Any, data: Any, test: str, value: Any = None, key: str | None = None, fail_on_missing: bool = False,
    wantlist: bool = False,
) -> Any:  # fmt: skip
    """Where in a list the items are that fit a test."""
    found = []
    for number, item in enumerate(data):
        if key is not None and key not in item:
            if fail_on_missing:
                raise KeyError(f"'{key}' was not found in '{item}' at [{number}]")
            continue
        subject = item if key is None else item[key]
        if environment.call_test(test, subject, () if value is None else (value,)):
            found.append(number)
    return found if wantlist or len(found) != 1 else found[0]


def to_paths(var: Any, prepend: Any = None, wantlist: bool = False) -> Any:
    """A nested value as a flat dict of paths."""
    flat: dict[str, Any] = {}
    _collect(var, "" if prepend is None else str(prepend), flat)
    return [flat] if wantlist else flat


def _collect(value: Any, path: str, flat: dict[str, Any]) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            plain = isinstance(key, str) and IDENTIFIER.match(key)
            step = (f".{key}" if path else key) if plain else f"[{key!r}]"
            _collect(item, path + step, flat)
    elif is_list(value):
        for number, item in enumerate(value):
            _collect(item, f"{path}[{number}]", flat)
    else:
        flat[path] = value


def _fits(key: Any, targets: list[str], how: str) -> bool:
    text = str(key)
    checks: dict[str, Callable[[str], bool]] = {
        "equality": lambda target: text == target,
        "starts_with": text.startswith,
        "ends_with": text.endswith,
        "regex": lambda target: _found(target, text),
    }
    if how not in checks:
        raise ValueError(f"matching_parameter is one of {', '.join(checks)}")
    return any(checks[how](target) for target in targets)


def _found(pattern: str, text: str) -> bool:
    from opsplay.templating import patterns

    return patterns.search(pattern, text, 0, "match") is not None


def keep_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Nested data with only the keys that fit."""
    names = [target] if isinstance(target, str) else list(target)
    if is_list(data):
        kept = [keep_keys(item, names, matching_parameter) for item in data if isinstance(item, (Mapping, list))]
        return [item for item in kept if item]
    result: dict[Any, Any] = {}
    for key, value in data.items():
        if _fits(key, names, matching_parameter):
            result[key] = value
        elif isinstance(value, (Mapping, list)) and (inner := keep_keys(value, names, matching_parameter)):
            result[key] = inner
    return result


def remove_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Nested data without the keys that fit."""
    names = [target] if isinstance(target, str) else list(target)
    if is_list(data):
        return [remove_keys(item, names, matching_parameter) for item in data]
    if not isinstance(data, Mapping):
        return data
    kept = {key: value for key, value in data.items() if not _fits(key, names, matching_parameter)}
    return {key: remove_keys(value, names, matching_parameter) for key, value in kept.items()}


def replace_keys(data: Any, target: Any, matching_parameter: str = "equality") -> Any:
    """Nested data with keys renamed: `target` lists dicts with `before` and `after`."""
    if is_list(data):
        return [replace_keys(item, target, matching_parameter) for item in data]
    if not isinstance(data, Mapping):
        return data
    return {
        _renamed(key, target, matching_parameter): replace_keys(item, target, matching_parameter)
        for key, item in data.items()
    }


def _renamed(key: Any, target: Any, how: str) -> Any:
    return next((pair["after"] for pair in target if _fits(key, [pair["before"]], how)), key)


FILTERS = {
    "get_path": get_path,
    "index_of": index_of,
    "keep_keys": keep_keys,
    "remove_keys": remove_keys,
    "replace_keys": replace_keys,
    "to_paths": to_paths,
}
