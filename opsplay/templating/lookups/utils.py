"""Lookups of ansible.utils: its filters under the same names."""

from __future__ import annotations

from typing import Any

from opsplay.templating.filters import utils
from opsplay.templating.lookups.call import LookupCall


def get_path(call: LookupCall) -> list[Any]:
    """The value that a path such as `a.b[0].c` leads to."""
    return _listed(utils.get_path(call.templar.environment, *call.terms, **call.options))


def index_of(call: LookupCall) -> list[Any]:
    """Where in a list the items are that fit a test."""
    return _listed(utils.index_of(call.templar.environment, *call.terms, **call.options))


def to_paths(call: LookupCall) -> list[Any]:
    """A nested value as a flat dict of paths."""
    return [utils.to_paths(*call.terms, **call.options)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


LOOKUPS = {"get_path": get_path, "index_of": index_of, "to_paths": to_paths}
