"""Lookups that make lists of what they are given: `with_items` and its kin."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from opsplay.templating.budget import check_items, check_text
from opsplay.templating.filters import mappings
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.texts import to_text
from opsplay.truth import truth

SHORTCUT = re.compile(
    r"^((?:0x)?[0-9a-f]+\s*-)?\s*((?:0x)?[0-9a-f]+)\s*(/\s*(-?(?:0x)?[0-9a-f]+))?\s*(:(.+))?$", re.IGNORECASE
)


def flat_once(terms: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for term in terms:
        flat.extend(term if isinstance(term, list) else [term])
    return flat


def items(call: LookupCall) -> list[Any]:
    """The items, lists among them opened one level."""
    return flat_once(call.terms)


def list_(call: LookupCall) -> list[Any]:
    """The items as they are."""
    return call.terms


def indexed_items(call: LookupCall) -> list[Any]:
    """Pairs of a position and an item."""
    return [[number, item] for number, item in enumerate(flat_once(call.terms))]


def dict_(call: LookupCall) -> list[Any]:
    """The pairs of a dict, as `key` and `value`."""
    found = []
    for term in call.terms:
        if not isinstance(term, Mapping):
            raise TypeError("the lookup plugin expects a dictionary")
        found += mappings.dict2items(term)
    return found


def nested(call: LookupCall) -> list[Any]:
    """Every item of the first list with every item of the next ones."""
    if not call.terms:
        raise ValueError("with_nested requires at least one element in the nested list")
    lists = [term if isinstance(term, list) else [term] for term in call.terms]
    size = 1
    for part in lists:
        size *= len(part)
        check_items(size)
    return [flat_once(list(row)) for row in itertools.product(*lists)]


def together(call: LookupCall) -> list[Any]:
    """The first items of all lists together, then the second ones; none where a list is shorter."""
    if not call.terms:
        raise ValueError("with_together requires at least one element in each list")
    lists = [term if isinstance(term, list) else [term] for term in call.terms]
    return [flat_once(list(row)) for row in itertools.zip_longest(*lists, fillvalue=None)]


def random_choice(call: LookupCall) -> list[Any]:
    """One of the items, by chance."""
    return [secrets.choice(call.terms)] if call.terms else []


def subelements(call: LookupCall) -> list[Any]:
    """Pairs of every item with every element of a list inside it."""
    wanted = "subelements lookup expects a list of two or three items, first a dict or a list, second a string"
    kinds = [type(term) for term in call.terms[:2]]
    if not 2 <= len(call.terms) <= 3 or kinds[0] not in (list, dict) or kinds[1] not in (str, list):
        raise ValueError(wanted)
    flags = call.terms[2] if len(call.terms) == 3 else {}
    if not isinstance(flags, Mapping) or set(flags) - {"skip_missing"}:
        raise ValueError("the optional third item must be a dict with flags ('skip_missing')")
    skip = bool(truth(flags.get("skip_missing", False)))
    source = call.terms[0]
    if isinstance(source, Mapping) and source.get("skipped", False) is not False:
        return []
    kept = list(source.values()) if isinstance(source, Mapping) else source
    kept = [item for item in kept if not (isinstance(item, Mapping) and item.get("skipped", False) is not False)]
    path = call.terms[1].split(".") if isinstance(call.terms[1], str) else call.terms[1]
    return [[without(item, path), element] for item, element in mappings.subelements(kept, path, skip)]


def without(item: Any, path: list[str]) -> Any:
    """The item without the list that its elements come from, as Ansible gives it."""
    if len(path) == 1:
        return {key: value for key, value in item.items() if key != path[0]}
    return {**item, path[0]: without(item[path[0]], path[1:])}


def sequence(call: LookupCall) -> list[Any]:
    """Numbers from start to end, as text: `start=1 end=5 stride=2 format=web%02d`, or `1-5`.

    Options: start=1, end, count, stride=1, format='%d'.
    """
    found: list[Any] = []
    for term in call.terms or ([None] if call.options else []):
        found += _numbers(_sequence_options(call, term))
        check_items(len(found))
    return found


def _sequence_options(call: LookupCall, term: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"start": 1, "end": None, "count": None, "stride": 1, "format": "%d"}
    options.update({name: value for name, value in call.options.items() if name in options})
    if term is None:
        return options
    text = to_text(term).strip()
    shortcut = SHORTCUT.match(text) if "=" not in text.partition(":")[0] else None
    if shortcut:
        return {**options, **_shortcut(shortcut)}
    for pair in text.split():
        name, equals, value = pair.partition("=")
        if name not in options or not equals:
            raise ValueError(f"unrecognized arguments to with_sequence: {pair!r}")
        options[name] = value
    return options


def _shortcut(found: re.Match[str]) -> dict[str, Any]:
    start, end, stride, _, _, form = found.groups()
    named = {"end": end, "start": start.rstrip("- \t") if start else None, "format": form}
    named["stride"] = stride[1:].strip() if stride else None
    return {name: value for name, value in named.items() if value is not None}


def _numbers(options: dict[str, Any]) -> Iterator[str]:
    start, stride = _number(options["start"]), _number(options["stride"])
    if options["count"] is None and options["end"] is None:
        raise ValueError("must specify count or end in with_sequence")
    if options["count"] is not None and options["end"] is not None:
        raise ValueError("can't specify both count and end in with_sequence")
    if options["count"] is not None and _number(options["count"]) == 0:
        return iter(())
    end = _number(options["end"]) if options["count"] is None else start + _number(options["count"]) * stride - 1
    if stride > 0 and end < start:
        raise ValueError("to count backwards make stride negative")
    if stride < 0 and end > start:
        raise ValueError("to count forward don't make stride negative")
    if stride == 0:
        return iter(())
    return _formatted(range(start, end + (1 if stride > 0 else -1), stride), to_text(options["format"]))


def _formatted(numbers: range, form: str) -> Iterator[str]:
    if form.count("%") != 1 or re.search(r"\d{4}", form):
        raise ValueError(f"bad formatting string: {form}")
    check_items(len(numbers))
    check_text(len(numbers) * (len(form) + 10))
    return (form % number for number in numbers)


def _number(value: Any) -> int:
    try:
        return int(value, 8 if re.fullmatch(r"0\d+", value) else 0) if isinstance(value, str) else int(value)
    except (TypeError, ValueError):
        raise ValueError(f"sequence: a number has an invalid value: {value!r}") from None


LOOKUPS = {
    "dict": dict_,
    "indexed_items": indexed_items,
    "items": items,
    "list": list_,
    "nested": nested,
    "random_choice": random_choice,
    "sequence": sequence,
    "subelements": subelements,
    "together": together,
}
