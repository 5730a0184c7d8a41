"""OMIT: the value of `omit`, which takes an argument away."""

from __future__ import annotations


class _Omit:
    """One object for the whole process, also after copying."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<omit>"

    def __copy__(self) -> _Omit:
        return self

    def __deepcopy__(self, memo: object) -> _Omit:
        return self

    def __reduce__(self) -> str:
        return "OMIT"


OMIT = _Omit()


def drop_omitted(value: object) -> object:
    """The value without the dict entries and list items that are OMIT, at any depth."""
    if isinstance(value, dict):
        return {key: drop_omitted(item) for key, item in value.items() if item is not OMIT}
    if isinstance(value, list):
        return [drop_omitted(item) for item in value if item is not OMIT]
    return value
