"""Scope: where an expression's names come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar


class _Missing:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()


class Scope(Protocol):
    """The variables of one host and task. `cache` holds what the templar resolved; empty it when a value changes."""

    cache: dict[str, Any]

    def raw(self, name: str) -> object:
        """The compiled value, its Templates not evaluated, or MISSING. May raise NotYetKnown."""
        ...

    def names(self) -> Iterable[str]: ...


class DictScope:
    """A scope over a plain dict of compiled values."""

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self.values = dict(values or {})
        self.cache: dict[str, Any] = {}

    def raw(self, name: str) -> object:
        return self.values.get(name, MISSING)

    def names(self) -> Iterable[str]:
        return self.values


class OverlayScope:
    """A scope with some names put on top (`loop_var`, the `_terms` of a lookup, a template's own variables)."""

    def __init__(self, below: Scope, values: Mapping[str, object]) -> None:
        self.below = below
        self.values = values
        self.cache: dict[str, Any] = {}

    def raw(self, name: str) -> object:
        return self.values[name] if name in self.values else self.below.raw(name)

    def names(self) -> Iterable[str]:
        return {**dict.fromkeys(self.below.names()), **dict.fromkeys(self.values)}


WHOLE: Final = frozenset({"vars", "hostvars", "ansible_delegated_vars", "environment", "omit"})  # a listing of all variables would hold itself


class ScopeView(Mapping[str, Any]):
    """A whole scope as a mapping (`vars`, `hostvars[HOST]`); a name is resolved when it is read."""

    __slots__ = ("_scope", "_templar")

    def __init__(self, templar: Templar, scope: Scope) -> None:
        self._templar = templar
        self._scope = scope

    def __getitem__(self, name: str) -> Any:
        value = self._templar.resolve(name, self._scope)
        if value is MISSING:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._scope.raw(name) is not MISSING

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._scope.names() if name not in WHOLE)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<variables of {self._scope!r}>"
