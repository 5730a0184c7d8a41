"""Program: a text or an expression, compiled once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.parser import Parser
from jinja2.runtime import Undefined as JinjaUndefined

from opsplay.errors import OpsError, Where
from opsplay.templating.environment import (
    SCOPE,
    ScopeContext,
    TemplateEnvironment,
    changes_containers,
    prepared,
    with_templates,
)
from opsplay.templating.failures import TemplateFailed, too_deep
from opsplay.templating.undefined import Marker

if TYPE_CHECKING:
    from opsplay.templating.scope import Scope
    from opsplay.templating.templar import Templar

LONE_NAME = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}", re.ASCII)
BARE_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*", re.ASCII)
CONSTANTS = frozenset({"true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "is", "in"})


class Program:
    """`name` is set where the whole is one variable; then nothing needs to be run."""

    __slots__ = ("as_text", "blocks", "changes", "environment", "is_file", "name", "newlines", "owner", "root")

    def __init__(
        self, environment: TemplateEnvironment, name: str | None = None, newlines: int = 0, is_file: bool = False
    ) -> None:
        self.owner: Templar = environment.templar
        self.environment = environment
        self.name = name
        self.newlines = newlines
        self.root: Callable[[Any], Iterator[Any]] | None = None
        self.blocks: dict[str, Any] = {}
        self.changes = False
        self.is_file = is_file
        self.as_text = is_file  # a file's text, whatever its one expression is

    def value(self, scope: Scope, where: Where | None) -> Any:
        assert self.root is not None
        context = ScopeContext(self.environment, {SCOPE: scope}, None, self.blocks)
        if self.changes:
            context.private = {}
        try:
            parts = list(self.root(context))
            return self._whole(parts, where)
        except OpsError as error:
            if self.is_file and error.where is None:
                error.where = place_of(error)
            raise
        except RecursionError:
            raise too_deep(where) from None
        except Exception as error:
            raise failure(error, place_of(error) if self.is_file else where) from error

    def text(self, value: Any) -> str:
        """A value as the text of a file."""
        if isinstance(value, JinjaUndefined):
            return str(value)
        return value if isinstance(value, str) else self.owner.text_of(value)

    def _whole(self, parts: list[Any], where: Where | None) -> Any:
        if self.as_text and parts:
            return self._ended(self.environment.join_text(parts))
        parts = [part for part in parts if part is not None]
        if not parts:
            return None
        result = parts[0] if len(parts) == 1 else self.environment.join_text(parts)
        if self.newlines and isinstance(result, str):
            return self._ended(result)
        if isinstance(result, Marker) and result.where is None:
            result.where = where
        return result

    def _ended(self, text: str) -> str:
        """The text with as many line ends as the source has; Jinja takes one away."""
        missing = self.newlines - (len(text) - len(text.rstrip("\n")))
        return text + self.environment.newline_sequence * missing


def place_of(error: BaseException) -> Where | None:
    """The file and line of the template in which an error arose."""
    trace = error.__traceback__
    place = None
    while trace is not None:
        names = trace.tb_frame.f_globals
        if "debug_info" in names and "blocks" in names:
            place = Where(names["__file__"], source_line(names["debug_info"], trace.tb_lineno))
        trace = trace.tb_next
    return place


def source_line(debug_info: str, line: int) -> int:
    """The template's line for a line of its code, by Jinja's `template=code&...` table."""
    found = 1
    for pair in debug_info.split("&"):
        template, _, code = pair.partition("=")
        if code and int(code) <= line:
            found = int(template)
    return found


def failure(error: Exception, where: Where | None) -> TemplateFailed:
    if isinstance(error, TemplateSyntaxError):
        return syntax_error(error, where)
    if isinstance(error, TemplateNotFound):
        return TemplateFailed(f"the template {error.name!r} was not found", where, code="template-not-found")
    text = str(error) or type(error).__name__
    return TemplateFailed(text if isinstance(error, TemplateError) else f"Error rendering template: {text}", where)


def syntax_error(error: TemplateSyntaxError, where: Where | None = None, what: str = "template") -> TemplateFailed:
    return TemplateFailed(
        f"Syntax error in {what}: {error.message}",
        where,
        "Look at the brackets, quotes and names between {{ and }}.",
        code="template-syntax",
    )


def compile_text(environment: TemplateEnvironment, source: str) -> Program:
    """The program of a text with `{{ }}` in it."""
    lone = LONE_NAME.fullmatch(source)
    name = lone[1] if lone and lone[1] not in CONSTANTS else None
    newlines = len(source) - len(source.rstrip("\n"))
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as error:
        raise syntax_error(error) from None
    return load(Program(environment, name, newlines), tree)


def compile_expression(environment: TemplateEnvironment, source: str) -> Program:
    """The program of a bare expression (`when`)."""
    lone = BARE_NAME.fullmatch(source)
    name = lone[1] if lone and lone[1] not in CONSTANTS else None
    try:
        parser = Parser(environment, source, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError("chunk after expression", parser.stream.current.lineno, None, None)
    except TemplateSyntaxError as error:
        raise syntax_error(error, what="expression") from None
    tree = nodes.Template([nodes.Output([expression], lineno=1)], lineno=1)
    with_templates(tree)
    tree.set_environment(environment)
    return load(Program(environment, name), prepared(tree, environment))


def load(program: Program, tree: nodes.Template, file: str | None = None) -> Program:
    try:
        code = program.environment.compile(tree, None, file)
    except TemplateSyntaxError as error:
        if file:
            raise
        raise syntax_error(error) from None
    names: dict[str, Any] = {"environment": program.environment, "__file__": file or "<template>"}
    exec(code, names)
    program.root = names["root"]
    program.blocks = names["blocks"]
    program.changes = changes_containers(tree)
    return program
