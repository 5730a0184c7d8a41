"""Each kind of dataclass that we use, made by `dataclasses` and made lazily, tells no difference; all that we have are sound."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from typing import Any, ClassVar

import pytest

import opsplay
from opsplay import lazy_dataclass

MAKERS = {"real": dataclasses.dataclass, "lazy": lazy_dataclass.dataclass}


def family(dataclass: Callable[..., Any], **options: bool) -> tuple[Any, Any]:
    @dataclass(**options)
    class Base:
        KIND: ClassVar[str] = "base"
        number: int
        text: str = "a"
        hidden: str = field(default="s", repr=False)

        @property
        def double(self) -> int:
            return self.number * 2

    @dataclass(**options)
    class Child(Base):
        items: list[int] = field(default_factory=list)
        beside: int = field(default=0, compare=False)
        made: int = field(default=7, init=False)

    return Base, Child


OPTIONS: list[dict[str, bool]] = [{}, {"slots": True}, {"frozen": True}, {"frozen": True, "slots": True}]


def told(made: tuple[Any, Any]) -> list[Any]:
    """What can be seen of them."""
    base, child = made
    one, other = child(1, items=[2]), child(1, items=[2], beside=9)
    seen: list[Any] = [
        repr(one),
        repr(base(3, "b")),
        one == other,
        base(1) == one,
        one != child(2),
        one.double,
        child.KIND,
    ]
    seen += [
        dataclasses.asdict(one),
        dataclasses.astuple(base(4)),
        repr(dataclasses.replace(one, number=5)),
        dataclasses.is_dataclass(child),
    ]
    seen += [
        [(f.name, f.init, f.repr, f.compare) for f in dataclasses.fields(child)],
        child.__match_args__,
        base.__hash__ is None,
    ]
    seen += [
        hash(base(1)) == hash(base(1)) if base.__hash__ is not None else None,
        repr(copy.copy(one)),
        repr(copy.deepcopy(one)),
    ]
    seen += [child.__dataclass_params__.frozen, hasattr(one, "__dict__"), child(1).items is not child(1).items]
    for wrong in (
        lambda: child(),
        lambda: child(1, unknown=2),
        lambda: setattr(one, "text", "z"),
        lambda: delattr(one, "text"),
        lambda: child(1, made=2),
    ):
        try:
            wrong()
        except (TypeError, FrozenInstanceError) as error:
            seen.append((type(error).__name__, str(error).replace("family.<locals>.", "")))
        else:
            seen.append("allowed")
    return seen


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options) or "plain")
def test_no_difference(options: dict[str, bool]) -> None:
    assert told(family(MAKERS["lazy"], **options)) == told(family(MAKERS["real"], **options))


def test_a_real_one_inherits_from_a_lazy_one_and_the_other_way_round() -> None:
    base, _ = family(MAKERS["lazy"], frozen=True, slots=True)

    @dataclasses.dataclass(frozen=True)
    class Real(base):  # type: ignore[misc, valid-type]
        more: int = 1

    @lazy_dataclass.dataclass(frozen=True)
    class Lazy(Real):
        most: int = 2

    assert repr(Lazy(1, most=5)).endswith("Lazy(number=1, text='a', more=1, most=5)")
    assert [f.name for f in dataclasses.fields(Lazy)] == ["number", "text", "hidden", "more", "most"]


def test_what_else_classes_do() -> None:
    @lazy_dataclass.dataclass(frozen=True)
    class Value:
        number: int
        parent: Value | None = None

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("negative")

        @cached_property
        def half(self) -> float:
            return self.number / 2

        def __hash__(self) -> int:
            return 42

    assert Value(3).half == 1.5 and hash(Value(3)) == 42 and Value(3) == Value(3)
    with pytest.raises(ValueError, match="negative"):
        Value(-1)
    with pytest.raises(ValueError, match="mutable default"):

        @lazy_dataclass.dataclass
        class Wrong:
            items: list[int] = []

    itself = Value(1)
    object.__setattr__(itself, "parent", itself)
    assert "..." in repr(itself)


def test_all_of_ours_are_sound() -> None:
    """Each compiles, has the fields that its real twin has, and goes through pickle where it has values for all."""
    seen = 0
    for module in pkgutil.walk_packages(opsplay.__path__, "opsplay."):
        if ".remote" in module.name or ".lab" in module.name:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and lazy_dataclass._PLAN in value.__dict__ and value.__module__ == module.name:
                plan = value.__dict__[lazy_dataclass._PLAN]
                lazy_dataclass._compiled(value, plan, True)
                assert [f.name for f in dataclasses.fields(value)] == list(plan), value
                seen += 1
    assert seen > 50


def test_pickle() -> None:
    from opsplay.events import Notice

    notice = Notice(1.0, "info", "text")
    assert pickle.loads(pickle.dumps(notice)) == notice
