"""Dataclasses whose methods are made when they are first used.

`dataclasses.dataclass` compiles up to eight functions for every class while it is loaded, 0.65 ms each: a sixth of what a
short run costs in all, most of it for methods that the run never calls. Here a class costs a fifteenth of that. Its
`__init__` is compiled at its first instance, equality and hash go through `attrgetter`, and what functions of `dataclasses`
look for comes from a real dataclass with the same fields, made when one of them asks. `field` and the functions of
`dataclasses` work as they do there. What mypy sees is the real one.
"""

from __future__ import annotations

import dataclasses
import inspect
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False):
        """As dataclasses.dataclass, with the two options that we use."""
        if cls is None:
            return lambda cls: _made(cls, frozen, slots)
        return _made(cls, frozen, slots)


_PLAN = "__lazy_plan__"  # field name -> what stands behind its =, or MISSING; of the class and all it inherits


def _made(cls: Any, frozen: bool, slots: bool) -> Any:
    own = _own_fields(cls)
    plan: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        plan |= _plan_of(base)
    made: Any = _slotted(cls, own, plan) if slots else _plain(cls, own)
    plan |= own
    names = tuple(name for name, given in plan.items() if _init(given))
    for name, value in ((_PLAN, plan), ("__match_args__", names), ("__init__", _first_init(made, plan, frozen))):
        setattr(made, name, value)
    if "__repr__" not in cls.__dict__:
        made.__repr__ = _first_repr(made, plan)
    for name in ("__dataclass_fields__", "__dataclass_params__"):
        setattr(made, name, _OfTwin(made, name, frozen))
    _compare(made, cls, plan, frozen)
    if frozen:
        _freeze(made, cls, plan, slots)
    return made


def _own_fields(cls: type) -> dict[str, Any]:
    own = {}
    for name, kind in inspect.get_annotations(cls).items():
        if not str(kind).startswith(("ClassVar", "typing.ClassVar")):
            own[name] = given = cls.__dict__.get(name, MISSING)
            if type(given).__hash__ is None:
                raise ValueError(f"mutable default {type(given)} for field {name} is not allowed: use default_factory")
    return own


def _plan_of(base: type) -> dict[str, Any]:
    if _PLAN in base.__dict__:
        return dict(base.__dict__[_PLAN])
    return dict(base.__dict__.get("__dataclass_fields__", {}))


def _slotted(cls: type, own: dict[str, Any], inherited: dict[str, Any]) -> type:
    names = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in own and name not in ("__dict__", "__weakref__")
    }
    names["__slots__"] = tuple(name for name in own if name not in inherited)
    made = type(cls)(cls.__name__, cls.__bases__, names)
    made.__qualname__ = cls.__qualname__
    return made


def _plain(cls: type, own: dict[str, Any]) -> type:
    for name, given in own.items():
        if isinstance(given, dataclasses.Field):
            delattr(cls, name) if given.default is MISSING else setattr(cls, name, given.default)
    return cls


def _init(given: Any) -> bool:
    return not isinstance(given, dataclasses.Field) or given.init


# -- __init__


def _first_init(cls: Any, plan: dict[str, Any], frozen: bool) -> Any:
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        made = _compiled(cls, plan, frozen)
        cls.__init__ = made
        made(self, *args, **named)

    return __init__


def _compiled(cls: Any, plan: dict[str, Any], frozen: bool) -> Any:
    known: dict[str, Any] = {"_absent": object()}
    parameters, lines = ["self"], []
    for name, given in plan.items():
        default, factory = _defaults(given)
        value = name
        if factory is not MISSING:
            known[f"_make_{name}"] = factory
            value = f"_make_{name}() if {name} is _absent else {name}" if _init(given) else f"_make_{name}()"
        elif not _init(given):
            if default is MISSING:
                continue
            value = f"_default_{name}"
        known[f"_default_{name}"] = default
        if _init(given):
            parameters.append(
                name
                if default is factory is MISSING
                else f"{name}=" + ("_absent" if default is MISSING else f"_default_{name}")
            )
        lines.append(_assignment(cls, name, value, frozen, known))
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), known)
    made = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _defaults(given: Any) -> tuple[Any, Any]:
    if isinstance(given, dataclasses.Field):
        return given.default, given.default_factory
    return given, MISSING


def _assignment(cls: type, name: str, value: str, frozen: bool, known: dict[str, Any]) -> str:
    if not frozen:
        return f"self.{name} = {value}"
    slot: Any = getattr(cls, name, None)
    if type(slot).__name__ == "member_descriptor":
        known[f"_set_{name}"] = slot.__set__  # quicker than object.__setattr__
        return f"_set_{name}(self, {value})"
    known["_set"] = object.__setattr__
    return f"_set(self, {name!r}, {value})"


# -- equality and hash


def _compare(made: Any, cls: type, plan: dict[str, Any], frozen: bool) -> None:
    compared = [name for name, given in plan.items() if not isinstance(given, dataclasses.Field) or given.compare]
    hashed = [
        name
        for name, given in plan.items()
        if not isinstance(given, dataclasses.Field) or (given.compare if given.hash is None else given.hash)
    ]
    own_hash = cls.__dict__.get("__hash__", MISSING)
    if own_hash is MISSING or (own_hash is None and "__eq__" in cls.__dict__):
        made.__hash__ = _hash_of(hashed) if frozen else None
    if "__eq__" not in cls.__dict__:
        made.__eq__ = _equality_of(compared)


def _getter(names: list[str]) -> Any:
    return attrgetter(*names) if names else lambda value: ()


def _hash_of(names: list[str]) -> Any:
    get = _getter(names)
    return lambda self: hash(get(self))


def _equality_of(names: list[str]) -> Any:
    get = _getter(names)

    def __eq__(self: Any, other: object) -> Any:
        return get(self) == get(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


# -- frozen


def _freeze(made: Any, cls: type, plan: dict[str, Any], slots: bool) -> None:
    names = tuple(plan)

    def __setattr__(self: Any, name: str, value: object) -> None:
        if type(self) is made or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        if type(self) is made or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, self).__delattr__(name)

    made.__setattr__ = __setattr__
    made.__delattr__ = __delattr__
    if slots and "__getstate__" not in cls.__dict__:
        made.__getstate__ = lambda self: [getattr(self, name) for name in names]
        made.__setstate__ = lambda self, state: _restore(self, names, state)


def _restore(value: Any, names: tuple[str, ...], state: list[Any]) -> None:
    for name, part in zip(names, state, strict=True):
        object.__setattr__(value, name, part)


# -- what few ever ask for


def _first_repr(cls: Any, plan: dict[str, Any]) -> Any:
    names = [name for name, given in plan.items() if not isinstance(given, dataclasses.Field) or given.repr]

    def __repr__(self: Any) -> str:
        from reprlib import recursive_repr

        def made(self: Any) -> str:
            return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in names])})"

        cls.__repr__ = recursive_repr("...")(made)
        return repr(self)

    return __repr__


class _OfTwin:
    """What functions of `dataclasses` look for, taken from a real dataclass with the same fields when one of them asks."""

    def __init__(self, cls: type, name: str, frozen: bool) -> None:
        self._cls, self._name, self._frozen = cls, name, frozen

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        twin = _twin(self._cls)
        twin.__dataclass_params__.frozen = self._frozen
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(self._cls, name, twin.__dict__[name])
        return getattr(owner, self._name)


def _twin(cls: type) -> Any:
    kinds = {name: kind for base in reversed(cls.__mro__) for name, kind in inspect.get_annotations(base).items()}
    plan = getattr(cls, _PLAN)
    given = {name: value for name, value in plan.items() if value is not MISSING}
    fields = {name: kinds.get(name, "Any") for name in plan}
    twin = type(cls.__name__, (), {**given, "__annotations__": fields, "__module__": cls.__module__})
    return dataclasses.dataclass(init=False, repr=False, eq=False)(twin)
