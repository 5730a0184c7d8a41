"""Filters of community.general over lists and dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opsplay.templating.filters import sets
from opsplay.templating.filters.mappings import LIST_MERGES, merge
from opsplay.templating.texts import is_list, to_text


def counter(value: Any) -> dict[Any, int]:
    """How often each item is in the list."""
    counts: dict[Any, int] = {}
    for item in value:
        counts[item] = counts.get(item, 0) + 1
    return counts


def dict_(value: Any) -> dict[Any, Any]:
    """A list of pairs as a dict."""
    return dict(value)


def dict_kv(value: Any, key: Any) -> dict[Any, Any]:
    """The value as a dict with one key."""
    return {key: value}


def groupby_as_dict(value: Any, attribute: str) -> dict[Any, Any]:
    """A list of dicts as a dict by an attribute, which must be different in each."""
    result: dict[Any, Any] = {}
    for item in value:
        if not isinstance(item, Mapping) or attribute not in item:
            raise KeyError(f"Attribute not contained in element: {item!r}")
        if item[attribute] in result:
            raise ValueError(f"Multiple sequence entries have attribute value {item[attribute]!r}")
        result[item[attribute]] = item
    return result


def lists_mergeby(*terms: Any, recursive: bool = False, list_merge: str = "replace") -> list[Any]:
    """Lists of dicts merged by one of their keys, which is the last argument."""
    *lists, key = terms
    if list_merge not in LIST_MERGES:
        raise ValueError(f"list_merge is one of {', '.join(LIST_MERGES)}")
    merged: dict[Any, Any] = {}
    for item in _flattened(lists):
        if not isinstance(item, Mapping):
            raise TypeError(
                f"Elements of list arguments for lists_mergeby must be dictionaries, not {type(item)}: {item!r}"
            )
        if key in item:
            merged[item[key]] = merge(merged.get(item[key], {}), item, recursive, list_merge)
    return [merged[name] for name in sorted(merged)]


def _flattened(lists: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for part in lists:
        if not is_list(part):
            raise TypeError(f"All arguments of lists_mergeby before the key must be lists, not {type(part)}")
        found += _flattened(part) if part and all(is_list(item) for item in part) else part
    return found


def lists_union(*lists: Any, flatten: bool = False) -> list[Any]:
    """The items of any of the lists."""
    return sets.distinct(item for part in _several(lists, flatten) for item in part)


def lists_intersect(*lists: Any, flatten: bool = False) -> list[Any]:
    """The items that are in all lists."""
    return _folded(sets.intersect, lists, flatten)


def lists_difference(*lists: Any, flatten: bool = False) -> list[Any]:
    """The items of the first list that are in none of the others."""
    return _folded(sets.difference, lists, flatten)


def lists_symmetric_difference(*lists: Any, flatten: bool = False) -> list[Any]:
    """The items that are in an odd number of the lists."""
    return _folded(sets.symmetric_difference, lists, flatten)


def _several(lists: Any, flatten: bool) -> list[Any]:
    return list(lists[0]) if flatten and len(lists) == 1 else list(lists)


def _folded(operation: Any, lists: Any, flatten: bool) -> list[Any]:
    parts = _several(lists, flatten)
    result = sets.distinct(parts[0]) if parts else []
    for part in parts[1:]:
        result = operation(result, part)
    return result


def version_sort(value: Any, reverse: bool = False) -> list[Any]:
    """The list in the order of loose versions."""
    from opsplay.templating.tests.versions import loose

    def key(item: Any) -> list[Any]:
        return [(isinstance(part, str), part) for part in loose(to_text(item))]

    return sorted(value, key=key, reverse=reverse)


def _matcher(target: Any, how: str) -> Any:
    from opsplay.templating import patterns

    names = [target] if isinstance(target, str) else list(target)
    checks = {
        "equal": lambda key: key in names,
        "starts_with": lambda key: any(str(key).startswith(name) for name in names),
        "ends_with": lambda key: any(str(key).endswith(name) for name in names),
        "regex": lambda key: any(patterns.search(name, str(key), 0, "match") for name in names),
    }
    if how not in checks:
        raise ValueError(f"matching_parameter is one of {', '.join(checks)}")
    return checks[how]


def keep_keys(data: Any, target: Any, matching_parameter: str = "equal") -> list[Any]:
    """A list of dicts with only the keys that fit."""
    fits = _matcher(target, matching_parameter)
    return [{key: value for key, value in item.items() if fits(key)} for item in data]


def remove_keys(data: Any, target: Any, matching_parameter: str = "equal") -> list[Any]:
    """A list of dicts without the keys that fit."""
    fits = _matcher(target, matching_parameter)
    return [{key: value for key, value in item.items() if not fits(key)} for item in data]


def replace_keys(data: Any, target: Any, matching_parameter: str = "equal") -> list[Any]:
    """A list of dicts with keys renamed: `target` lists dicts with `before` and `after`."""
    pairs = [(_matcher(pair["before"], matching_parameter), pair["after"]) for pair in target]

    def renamed(key: Any) -> Any:
        return next((after for fits, after in pairs if fits(key)), key)

    return [{renamed(key): value for key, value in item.items()} for item in data]


FILTERS = {
    "counter": counter,
    "dict": dict_,
    "dict_kv": dict_kv,
    "groupby_as_dict": groupby_as_dict,
    "keep_keys": keep_keys,
    "lists_difference": lists_difference,
    "lists_intersect": lists_intersect,
    "lists_mergeby": lists_mergeby,
    "lists_symmetric_difference": lists_symmetric_difference,
    "lists_union": lists_union,
    "remove_keys": remove_keys,
    "replace_keys": replace_keys,
    "version_sort": version_sort,
}
