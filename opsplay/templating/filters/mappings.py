"""Filters over dicts, and between dicts and lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import pass_environment

from opsplay.templating.texts import is_list

LIST_MERGES = ("replace", "keep", "append", "prepend", "append_rp", "prepend_rp")


def combine(*terms: Any, recursive: bool = False, list_merge: str = "replace", **unknown: Any) -> Any:
    """Dicts merged into one; later ones win."""
    if unknown:
        raise TypeError("'recursive' and 'list_merge' are the only valid keyword arguments")
    if list_merge not in LIST_MERGES:
        raise ValueError(f"'list_merge' argument must be one of {', '.join(LIST_MERGES)}")
    dicts = [term for part in terms for term in (part if is_list(part) else [part]) if term is not None]
    for term in dicts:
        if not isinstance(term, Mapping):
            raise TypeError(f"failed to combine variables, expected dicts but got {type(term).__name__}: {term}")
    result: dict[Any, Any] = dict(dicts[0]) if dicts else {}
    for term in dicts[1:]:
        result = merge(result, term, recursive, list_merge)
    return result


def merge(low: Any, high: Any, recursive: bool, list_merge: str) -> dict[Any, Any]:
    result = dict(low)
    for key, value in high.items():
        own = result.get(key)
        if recursive and isinstance(own, Mapping) and isinstance(value, Mapping):
            result[key] = merge(own, value, recursive, list_merge)
        elif list_merge != "replace" and isinstance(own, (list, tuple)) and is_list(value):
            result[key] = merge_lists(list(own), list(value), list_merge)
        else:
            result[key] = value
    return result


def merge_lists(low: list[Any], high: list[Any], how: str) -> list[Any]:
    merged = {
        "keep": lambda: low,
        "append": lambda: low + high,
        "prepend": lambda: high + low,
        "append_rp": lambda: [item for item in low if item not in high] + high,
        "prepend_rp": lambda: high + [item for item in low if item not in high],
    }
    return merged[how]()


def dict2items(value: Any, key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    """A dict as a list of dicts with `key` and `value`."""
    if not isinstance(value, Mapping):
        raise TypeError(f"dict2items requires a dictionary, got {type(value)} instead.")
    return [{key_name: key, value_name: item} for key, item in value.items()]


def items2dict(value: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    """A list of dicts with `key` and `value` as one dict."""
    if not is_list(value):
        raise TypeError(f"items2dict requires a list, got {type(value)} instead.")
    try:
        return {item[key_name]: item[value_name] for item in value}
    except KeyError as error:
        missing = error.args[0]
        raise KeyError(
            f"items2dict requires each dictionary in the list to contain the keys '{key_name}' and '{value_name}', "
            f"got {value} instead ({missing!r} is missing)."
        ) from None
    except TypeError:
        raise TypeError(f"items2dict requires a list of dictionaries, got {value} instead.") from None


@pass_environment
def extract(environment: Any, key: Any, container: Any, morekeys: Any = None) -> Any:
    """The item of a container that a key names, and further down by `morekeys`."""
    keys = [key] if morekeys is None else [key, *morekeys] if is_list(morekeys) else [key, morekeys]
    value = container
    for part in keys:
        value = environment.getitem(value, part)
    return value


def rekey_on_member(data: Any, key: str, duplicates: str = "error") -> dict[Any, Any]:
    """A list or dict of dicts as a dict whose keys are a member of each."""
    if duplicates not in ("error", "overwrite"):
        raise ValueError(f"duplicates parameter to rekey_on_member has unknown value: {duplicates}")
    if not isinstance(data, Mapping) and not is_list(data):
        raise TypeError("Type is not a valid list, set, or dict")
    result: dict[Any, Any] = {}
    for item in data.values() if isinstance(data, Mapping) else data:
        if not isinstance(item, Mapping):
            raise TypeError("List item is not a valid dict")
        if key not in item:
            raise KeyError(f"Key {key} was not found")
        if item[key] in result and duplicates == "error":
            raise ValueError(f"Key {item[key]} is not unique, cannot convert to dict")
        result[item[key]] = item
    return result


def subelements(value: Any, subelements: Any, skip_missing: bool = False) -> list[Any]:
    """Pairs of every item with every element of a list inside it."""
    path = subelements.split(".") if isinstance(subelements, str) else subelements
    if not is_list(path):
        raise TypeError("subelements must be a list or a string")
    if not isinstance(value, Mapping) and not is_list(value):
        raise TypeError("obj must be a list of dicts or a nested dict")
    results = []
    for item in value.values() if isinstance(value, Mapping) else value:
        results += [(item, element) for element in _elements(item, path, skip_missing)]
    return results


def _elements(item: Any, path: Any, skip_missing: bool) -> list[Any]:
    found = item
    for part in path:
        if not isinstance(found, Mapping):
            if skip_missing:
                return []
            raise TypeError(f"the key {part} should point to a dictionary, got '{found}'")
        if part not in found:
            if skip_missing:
                return []
            raise KeyError(f"could not find {part!r} key in iterated item {item!r}")
        found = found[part]
    if not is_list(found):
        raise TypeError(f"the key {path[-1]} should point to a list, got {found!r}")
    return list(found)


FILTERS = {
    "combine": combine,
    "dict2items": dict2items,
    "extract": extract,
    "items2dict": items2dict,
    "rekey_on_member": rekey_on_member,
    "subelements": subelements,
}
