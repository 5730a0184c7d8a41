"""Marker: the undefined value inside an expression; any use but a test or a default raises."""

from __future__ import annotations

from typing import Any, NoReturn

from jinja2.runtime import Undefined as JinjaUndefined
from jinja2.utils import missing

from opsplay.errors import OpsError, Where
from opsplay.templating.failures import Undefined


class Marker(JinjaUndefined):
    """Chains: an attribute of a marker is the same marker, so that `a.b.c is defined` needs no ladder."""

    __slots__ = ("where",)

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = None, where: Where | None = None
    ) -> None:
        super().__init__(hint, obj, name)
        self.where = where

    @property
    def message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"{self._undefined_name!r} is undefined"
        if isinstance(self._undefined_name, int):
            return f"{type_name(self._undefined_obj)} object has no element {self._undefined_name}"
        return f"object of type {type_name(self._undefined_obj)!r} has no attribute {self._undefined_name!r}"

    @property
    def error(self) -> Undefined:
        name = str(self._undefined_name) if self._undefined_obj is missing else ""
        return Undefined(self.message, self.where, name=name)

    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.error

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> Marker:  # type: ignore[override]
        return self

    def __repr__(self) -> str:
        return f"<undefined: {self.message}>"

    def __html__(self) -> NoReturn:
        raise self.error

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = refuse
    __div__ = __rdiv__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = refuse
    __mod__ = __rmod__ = __pos__ = __neg__ = __call__ = refuse
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = __pow__ = __rpow__ = refuse
    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = refuse
    _fail_with_undefined_error = refuse


class VaultExceptionMarker:
    """A `!vault` value that no password opens: it may be passed around; any use raises. No undefined value: no default hides it."""

    __slots__ = ("ciphertext", "error")

    def __init__(self, error: OpsError, ciphertext: str) -> None:
        self.ciphertext = ciphertext
        message = f"Attempt to use undecryptable variable: {error.message}"
        self.error = OpsError(error.code, message, error.where, error.remedy, fault=error.fault)

    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.error

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def __getitem__(self, key: Any) -> VaultExceptionMarker:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = refuse
    __mod__ = __rmod__ = __pos__ = __neg__ = __call__ = __pow__ = __rpow__ = refuse
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = refuse
    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = __html__ = refuse


def type_name(value: object) -> str:
    """The type as users know it: dict for our lazy dict."""
    for known in (dict, list):
        if isinstance(value, known):
            return known.__name__
    return type(value).__name__
