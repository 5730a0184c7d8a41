"""Conditions: `when` and its kin. The result must be a boolean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opsplay.errors import OpsError, Where
from opsplay.source.nodes import UnsafeText
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.scope import MISSING, Scope
from opsplay.templating.template import Template
from opsplay.templating.undefined import type_name
from opsplay.templating.values import Unsafe

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar


def holds(templar: Templar, expression: object, scope: Scope, where: Where | None) -> bool:
    if isinstance(expression, bool):
        return expression
    if expression is None:
        return True
    if isinstance(expression, list):
        return all(holds(templar, item, scope, where) for item in expression)
    if isinstance(expression, Template):
        where, expression = expression.where or where, expression.source
    if isinstance(expression, (Unsafe, UnsafeText)):
        text = str(getattr(expression, "text", expression))
        raise TemplateFailed(f"Encountered untrusted template or expression: {text!r}", where, "Take !unsafe away.", code="condition-untrusted")
    if not isinstance(expression, str):
        raise TemplateFailed("Conditional expressions must be strings.", where, code="condition-not-text")
    if not expression.strip():
        raise TemplateFailed("Empty conditional expressions are not allowed.", where, code="condition-empty")
    return _boolean(templar, expression, value_of(templar, expression, scope, where), where)


def value_of(templar: Templar, expression: str, scope: Scope, where: Where | None) -> Any:
    """The value of the text: of a bare expression, or of the one that `{{ }}` encloses."""
    try:
        program = templar.program(expression, bare=not is_enclosed(expression))
        value = templar.resolve(program.name, scope) if program.name is not None else MISSING
        if value is MISSING:
            value = templar.run(program, scope, where)
        return value if isinstance(value, bool) else templar.plain(value, where)
    except Undefined as error:
        message = f"Error while evaluating conditional: {error.message}"
        raise Undefined(message, error.where or where, error.remedy, error.name) from None
    except OpsError as error:
        if error.where is None:
            error.where = where
        raise


def is_reference(template: object) -> bool:
    """Whether the template only refers to a value, as `{{ item.check }}` does: none is put together in it."""
    return _REFERENCE.fullmatch(_SUBSCRIPT.sub("", getattr(template, "source", "")).strip()) is not None


_SUBSCRIPT = re.compile(r"\[[^\[\]]*\]")
_REFERENCE = re.compile(r"\{\{[^'\"~{}]*\}\}")


def is_enclosed(expression: str) -> bool:
    text = expression.strip()
    return text.startswith(("{{", "{%", "{#")) and text.endswith(("}}", "%}", "#}"))


def _boolean(templar: Templar, expression: str, value: Any, where: Where | None) -> bool:
    if isinstance(value, bool):
        return value
    if getattr(templar.settings, "allow_broken_conditionals", False):
        return bool(value)
    raise TemplateFailed(
        f"Conditional result ({bool(value)}) was derived from value of type {type_name(value)!r}. "
        "Conditionals must have a boolean result.",
        where,
        suggestion(expression.strip(), value),
        code="condition-not-boolean",
    )


def suggestion(expression: str, value: Any) -> str:
    """The form to write instead."""
    part = f"({expression})" if " " in expression else expression
    if isinstance(value, str) and value.lower() in {"yes", "no", "on", "off", "true", "false", "1", "0"}:
        return f"Write: {part} | bool"
    if isinstance(value, (str, list, dict)):
        return f"Write: {part} | length > 0"
    return f"Write: {part} is truthy" if value is not None else f"Write: {part} is not none"
