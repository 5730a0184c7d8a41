"""Filters over lists: flattening, pairing, choosing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from jinja2 import pass_environment
from jinja2.filters import sync_do_groupby

from opsplay.templating.budget import CELLS, check_items
from opsplay.templating.failures import limit_exceeded
from opsplay.templating.texts import is_list, to_text


def _bounded(found: Iterable[tuple[Any, ...]]) -> list[Any]:
    rows: list[Any] = []
    cells = 0
    for row in found:
        cells += len(row)
        if cells > CELLS:
            raise limit_exceeded(f"it makes more than {CELLS} items")
        rows.append(list(row))
    return rows


def flatten(value: Any, levels: int | None = None, skip_nulls: bool = True) -> list[Any]:
    """A list of lists as one list; `levels` says how deep."""
    result: list[Any] = []
    for item in value:
        if skip_nulls and item in (None, "None", "null"):
            continue
        if is_list(item) and (levels is None or levels >= 1):
            result += flatten(item, None if levels is None else levels - 1, skip_nulls)
        else:
            result.append(item)
    return result


def zip_(*lists: Any) -> list[Any]:
    """The first items of all lists together, then the second ones, up to the shortest."""
    return _bounded(zip(*lists, strict=False))


def zip_longest(*lists: Any, fillvalue: Any = None) -> list[Any]:
    """The same up to the longest list."""
    return _bounded(itertools.zip_longest(*lists, fillvalue=fillvalue))


def permutations(value: Any, size: int | None = None) -> list[Any]:
    """All orders of a list's items."""
    return _bounded(itertools.permutations(value, size))


def combinations(value: Any, size: int) -> list[Any]:
    """All choices of `size` items of a list."""
    return _bounded(itertools.combinations(value, size))


def product(*lists: Any, repeat: int = 1) -> list[Any]:
    """Every item of each list with every item of the others."""
    sizes = 1
    for items in [list(items) for items in lists] * min(int(repeat), 64):
        sizes *= len(items)
        check_items(sizes)
    return _bounded(itertools.product(*lists, repeat=repeat))


@pass_environment
def groupby(
    environment: Any, value: Any, attribute: str | int, default: Any = None, case_sensitive: bool = False
) -> Any:
    """Groups of items with the same attribute: pairs of its value (`grouper`) and a `list`."""
    return sync_do_groupby(environment, value, attribute, default, case_sensitive)


def random(end: Any, start: Any = None, step: Any = None, seed: Any = None) -> Any:
    """A random item of a list, or a random number below the given one."""
    chooser = _chooser(seed)
    if isinstance(end, int) and not isinstance(end, bool):
        return chooser.randrange(start or 0, end, step or 1)
    if start or step:
        raise TypeError("start and step can only be used with integer values")
    if not hasattr(end, "__iter__"):
        raise TypeError("random can only be used on sequences and integers")
    items = end if isinstance(end, str) else list(end)
    return chooser.choice(items)


def shuffle(value: Any, seed: Any = None) -> Any:
    """The list in random order."""
    items = list(value) if hasattr(value, "__iter__") else value
    if isinstance(items, list):
        _chooser(seed).shuffle(items)
    return items


def _chooser(seed: Any) -> Any:
    from random import Random, SystemRandom

    return SystemRandom() if seed is None else Random(seed)


def split(value: Any, separator: str | None = None, maxsplit: int = -1) -> list[str]:
    """The parts of a text."""
    return to_text(value).split(separator, maxsplit)


FILTERS = {
    "combinations": combinations,
    "flatten": flatten,
    "groupby": groupby,
    "permutations": permutations,
    "product": product,
    "random": random,
    "shuffle": shuffle,
    "split": split,
    "zip": zip_,
    "zip_longest": zip_longest,
}
