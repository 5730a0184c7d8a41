"""LazyDict and LazyList: containers of variables whose items are evaluated when they are read."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, SupportsIndex

from opsplay.templating.template import Template
from opsplay.templating.unknown import Unknown
from opsplay.templating.values import Vaulted

if TYPE_CHECKING:
    from opsplay.templating.scope import Scope
    from opsplay.templating.templar import Templar

RAW = frozenset({Template, Vaulted, Unknown, dict, list})


class LazyDict(dict[Any, Any]):
    """Overrides every way to an item: C code that reads a dict past them only does so for exact dicts."""

    __slots__ = ("_scope_", "_shared_", "_templar_")

    def __init__(self, values: Mapping[Any, Any], templar: Templar, scope: Scope, shared: bool = True) -> None:
        super().__init__(values)
        self._templar_ = templar
        self._scope_ = scope
        self._shared_ = shared

    def __getitem__(self, key: Any) -> Any:
        value = dict.__getitem__(self, key)
        if type(value) in RAW:
            value = self._templar_.materialize(value, self._scope_, shared=self._shared_)
            dict.__setitem__(self, key, value)
        return value

    def raw_items(self) -> ItemsView[Any, Any]:
        return dict.items(self)

    def __iter__(self) -> Iterator[Any]:
        return dict.__iter__(self)

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if dict.__contains__(self, key) else default

    def pop(self, key: Any, *default: Any) -> Any:
        if dict.__contains__(self, key):
            value = self[key]
            dict.pop(self, key)
            return value
        return dict.pop(self, key, *default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            dict.__setitem__(self, key, default)
        return self[key]

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override]
        return ItemsView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return ValuesView(self)

    def copy(self) -> dict[Any, Any]:
        return {key: self[key] for key in self}

    def __or__(self, other: Any) -> Any:
        return {**self, **other}

    def __ror__(self, other: Any) -> Any:
        return {**other, **self}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping) or len(other) != len(self):
            return False
        return all(key in other and other[key] == self[key] for key in self)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return repr(self._templar_.plain(self))

    __str__ = __repr__

    def __reduce__(self) -> Any:
        return dict, (self._templar_.plain(self),)


class LazyList(list[Any]):
    """The same for lists."""

    __slots__ = ("_scope_", "_shared_", "_templar_")

    def __init__(self, values: Any, templar: Templar, scope: Scope, shared: bool = True) -> None:
        super().__init__(values)
        self._templar_ = templar
        self._scope_ = scope
        self._shared_ = shared

    def _item(self, index: int) -> Any:
        value = list.__getitem__(self, index)
        if type(value) in RAW:
            value = self._templar_.materialize(value, self._scope_, shared=self._shared_)
            list.__setitem__(self, index, value)
        return value

    def raw_items(self) -> list[Any]:
        return list.__getitem__(self, slice(None))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._item(number) for number in range(*index.indices(len(self)))]
        return self._item(index)

    def __iter__(self) -> Iterator[Any]:
        return map(self._item, range(len(self)))

    def __reversed__(self) -> Iterator[Any]:
        return map(self._item, range(len(self) - 1, -1, -1))

    def __contains__(self, item: object) -> bool:
        return any(own == item for own in self)

    def __add__(self, other: Any) -> Any:
        return list(self) + list(other) if isinstance(other, list) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return list(other) + list(self) if isinstance(other, list) else NotImplemented

    def __mul__(self, count: SupportsIndex) -> list[Any]:
        return list(self) * count

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, list)
            and len(other) == len(self)
            and all(a == b for a, b in zip(self, other, strict=True))
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return list(self) < list(other)

    def __gt__(self, other: Any) -> bool:
        return list(self) > list(other)

    def __le__(self, other: Any) -> bool:
        return list(self) <= list(other)

    def __ge__(self, other: Any) -> bool:
        return list(self) >= list(other)

    __hash__ = None

    def index(self, item: Any, *bounds: Any) -> int:
        return list(self).index(item, *bounds)

    def count(self, item: Any) -> int:
        return list(self).count(item)

    def copy(self) -> list[Any]:
        return list(self)

    def pop(self, index: SupportsIndex = -1) -> Any:
        value = self[index]
        list.pop(self, index)
        return value

    def sort(self, **options: Any) -> None:
        list.__setitem__(self, slice(None), sorted(self, **options))

    def remove(self, item: Any) -> None:
        list.__delitem__(self, self.index(item))

    def __repr__(self) -> str:
        return repr(self._templar_.plain(self))

    __str__ = __repr__

    def __reduce__(self) -> Any:
        return list, (self._templar_.plain(self),)
