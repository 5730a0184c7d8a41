"""Filters that treat lists as sets; the order of the first list is kept."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from jinja2 import pass_environment
from jinja2.filters import do_unique


class Members:
    """Membership that is fast for hashable items and right for the others."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.hashed: set[Any] = set()
        self.others: list[Any] = []
        for item in items:
            self.add(item)

    def add(self, item: Any) -> bool:
        """Whether the item is new."""
        if item in self:
            return False
        if isinstance(item, Hashable):
            self.hashed.add(item)
        else:
            self.others.append(item)
        return True

    def __contains__(self, item: Any) -> bool:
        return item in self.hashed if isinstance(item, Hashable) else item in self.others


def _items(value: Any) -> list[Any]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"a list is wanted, not {type(value).__name__}")
    return list(value)


def distinct(items: Iterable[Any]) -> list[Any]:
    seen = Members()
    return [item for item in items if seen.add(item)]


@pass_environment
def unique(
    environment: Any, value: Any, case_sensitive: bool | None = None, attribute: str | int | None = None
) -> list[Any]:
    """The list without repeated items."""
    items = list(value)
    try:
        return list(do_unique(environment, items, case_sensitive=bool(case_sensitive), attribute=attribute))
    except TypeError:
        if case_sensitive is False or attribute is not None:
            raise TypeError(
                "items that are dicts or lists cannot be told apart by case or attribute; cannot fall back"
            ) from None
        return distinct(items)


def union(value: Any, other: Any) -> list[Any]:
    """The items of either list."""
    return distinct([*_items(value), *_items(other)])


def intersect(value: Any, other: Any) -> list[Any]:
    """The items that are in both lists."""
    members = Members(_items(other))
    return distinct(item for item in _items(value) if item in members)


def difference(value: Any, other: Any) -> list[Any]:
    """The items of the first list that are not in the second."""
    members = Members(_items(other))
    return distinct(item for item in _items(value) if item not in members)


def symmetric_difference(value: Any, other: Any) -> list[Any]:
    """The items that are in one list only."""
    return [*difference(value, other), *difference(other, value)]


FILTERS = {
    "difference": difference,
    "intersect": intersect,
    "symmetric_difference": symmetric_difference,
    "union": union,
    "unique": unique,
}
