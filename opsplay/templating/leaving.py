"""What unusual values of an expression become when they leave templating."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from opsplay.errors import Where
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.omit import OMIT
from opsplay.templating.unknown import Unknown

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar


def plain_other(templar: Templar, value: Any, where: Where | None) -> Any:
    """Markers raise; mappings become dicts, iterables lists; subclasses of str and int lose their class."""
    from jinja2.runtime import Undefined as JinjaUndefined

    from opsplay.templating.undefined import VaultExceptionMarker

    if value is OMIT:
        return value
    if isinstance(value, Unknown):
        value.refuse()
    if isinstance(value, VaultExceptionMarker):
        raise value.error
    if isinstance(value, JinjaUndefined):
        raise undefined_error(value, where)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return templar._plain_pairs([(key, value[key]) for key in value], None)
    if isinstance(value, (list, tuple, Set)):
        return templar._plain_items(value, None)
    if is_stream(value):
        return templar._plain_items(list(value), None)
    if callable(value) or type(value).__module__.startswith("jinja2."):
        raise TemplateFailed(
            f"Error rendering template: Type {type(value).__name__!r} is unsupported for variable storage.",
            where,
            "A function is named here, not called: are the brackets missing?",
            code="not-a-value",
        )
    return value


def undefined_error(value: Any, where: Where | None) -> Undefined:
    from opsplay.templating.undefined import Marker

    if isinstance(value, Marker):
        error = value.error
        error.where = error.where or where
        return error
    return Undefined("an inline `if` without `else` has no value here", where, "Add `else` and a value.")


def template_like(value: Any) -> Iterator[str]:
    """The texts in a plain value that would be templates in a playbook."""
    if isinstance(value, str):
        if "{{" in value or "{%" in value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from template_like(item)
    elif isinstance(value, list):
        for item in value:
            yield from template_like(item)


def is_container(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict, Set, Mapping)) or is_stream(value)


def is_stream(value: Any) -> bool:
    """Generators, ranges, the views of a dict: iterable, and nothing but that."""
    return isinstance(value, (range, Iterable)) and not isinstance(value, (bytes, bytearray)) and _only_iterable(value)


def _only_iterable(value: Any) -> bool:
    return (
        hasattr(value, "__next__")
        or isinstance(value, range)
        or type(value).__name__.endswith(("_keys", "_values", "_items", "View"))
    )
