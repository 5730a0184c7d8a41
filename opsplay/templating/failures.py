"""Undefined and TemplateFailed: what goes wrong while a template is evaluated."""

from __future__ import annotations

from opsplay.errors import OpsError, Where


class Undefined(OpsError):
    """A variable or an attribute that is not there was used. `name` is the variable's, where it is known."""

    def __init__(self, message: str, where: Where | None = None, remedy: str = "", name: str = "") -> None:
        super().__init__("undefined-variable", message, where, remedy)
        self.name = name


class TemplateFailed(OpsError):
    """An expression, a filter, a test or a lookup failed."""

    def __init__(
        self, message: str, where: Where | None = None, remedy: str = "", code: str = "template-failed"
    ) -> None:
        super().__init__(code, message, where, remedy)


class LookupFailed(TemplateFailed):
    """A lookup failed; the one failure that `errors='ignore'` may silence."""


def too_deep(where: Where | None = None) -> TemplateFailed:
    """A value that holds itself, or nests deeper than anything sane."""
    return TemplateFailed(
        "recursive loop detected in template string: a value is nested too deeply, or holds itself",
        where,
        "A variable may not be made from itself; give one of them another name.",
        code="template-recursion",
    )


def limit_exceeded(what: str) -> TemplateFailed:
    """The refusal of an expression that would eat the controller's memory or time."""
    return TemplateFailed(
        f"the expression was refused: {what}",
        remedy="Limits are settings: template_seconds, template_bytes.",
        code="template-limit",
    )
