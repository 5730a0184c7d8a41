"""Tests of truth and of lists."""

from __future__ import annotations

import math
from typing import Any

from opsplay.truth import truth


def all_(values: Any) -> bool:
    """Whether all items are true."""
    return all(values)


def any_(values: Any) -> bool:
    """Whether at least one item is true."""
    return any(values)


def contains(values: Any, item: Any) -> bool:
    """Whether the list or text contains the item."""
    return item in values


def truthy(value: Any, convert_bool: bool = False) -> bool:
    """Whether the value is true by Python's rules; with `convert_bool`, words such as "no" are read."""
    found = truth(value) if convert_bool and isinstance(value, (str, int)) else None
    return bool(value) if found is None else found


def falsy(value: Any, convert_bool: bool = False) -> bool:
    """Whether the value is not true."""
    return not truthy(value, convert_bool)


def nan(value: Any) -> bool:
    """Whether the value is not a number (NaN)."""
    return isinstance(value, float) and math.isnan(value)


def subset(values: Any, other: Any) -> bool:
    """Whether all items are in the other list."""
    return all(item in other for item in values)


def superset(values: Any, other: Any) -> bool:
    """Whether all items of the other list are in this one."""
    return all(item in values for item in other)


TESTS = {
    "all": all_,
    "any": any_,
    "contains": contains,
    "falsy": falsy,
    "isnan": nan,
    "issubset": subset,
    "issuperset": superset,
    "nan": nan,
    "subset": subset,
    "superset": superset,
    "truthy": truthy,
}
