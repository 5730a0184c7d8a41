"""TemplateEnvironment: Jinja with our limits: a sandbox, native values, late names, undefined markers."""

from __future__ import annotations

import functools
import re
from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any, TypeGuard

from jinja2 import nodes
from jinja2.lexer import Lexer
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, modifies_known_mutable
from jinja2.utils import missing, pass_context

from opsplay.templating import budget
from opsplay.templating.codegen import LateCodeGenerator
from opsplay.templating.failures import limit_exceeded
from opsplay.templating.lazy import LazyDict, LazyList
from opsplay.templating.scope import MISSING, DictScope
from opsplay.templating.template import MARKERS, Template
from opsplay.templating.undefined import Marker

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar

SCOPE = "\0scope"
DICT_METHODS = frozenset(name for name in dir(dict) if not name.startswith("_"))
WIDE_FORMAT = re.compile(r"\d{7}")
UNKNOWN_ESCAPE = re.compile(r"""((?<!\\)(?:\\\\)*)\\(?=[^\\'"abfnrtv0-7xNuU\n])""")
LOOKUPS = frozenset({"lookup", "query", "q"})
WIDE_METHODS = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs"})


class ScopeContext(Context):
    """A Jinja context over one of our scopes; what the template itself sets lies in `vars`, as ever."""

    def __init__(
        self, environment: Any, parent: dict[str, Any], name: str | None, blocks: dict[str, Any], globals: Any = None
    ) -> None:
        super().__init__(environment, parent, name, blocks, None)
        self.scope = parent.get(SCOPE) or DictScope()
        self.private: dict[str, Any] | None = None

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        if key in self.parent:
            return self.parent[key]
        environment: Any = self.environment
        value = self._own_copy(key) if self.private is not None else environment.templar.resolve(key, self.scope)
        return environment.globals.get(key, missing) if value is MISSING else value

    def _own_copy(self, key: str) -> Any:
        """For a template that calls `append` and the like: containers that it may change without anyone seeing it."""
        assert self.private is not None
        if key not in self.private:
            templar: Templar = self.environment.templar  # type: ignore[attr-defined]
            self.private[key] = templar.private_copy(key, self.scope)
        return self.private[key]

    def get_all(self) -> dict[str, Any]:
        return {**self.parent, **self.vars}


class OwnLexer(Lexer):
    """Backslashes in string literals: all kept as written (`regex_replace('(a)', '\\1')` in a playbook), or, in
    expressions and files, kept where Python knows no such escape (`match('\\w')`), which would be a warning."""

    def __init__(self, environment: Any, keep: bool) -> None:
        super().__init__(environment)
        self.kept = re.compile(r"\\") if keep else UNKNOWN_ESCAPE

    def wrap(self, stream: Iterable[tuple[int, str, str]], name: Any = None, filename: Any = None) -> Iterator[Any]:
        return super().wrap(map(self._with_backslashes, stream), name, filename)

    def _with_backslashes(self, part: tuple[int, str, str]) -> tuple[int, str, str]:
        line, token, text = part
        if token == "string" and "\\" in text:
            text = self.kept.sub(r"\\\\", text) if self.kept is not UNKNOWN_ESCAPE else self.kept.sub(r"\1\\\\", text)
        return line, token, text


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    code_generator_class = LateCodeGenerator
    context_class = ScopeContext
    intercepted_binops = frozenset({"*", "**", "%", "+"})
    templar: Templar

    def __init__(self, templar: Templar, *, keep_backslashes: bool = True, **options: Any) -> None:
        super().__init__(
            undefined=Marker,
            optimized=False,
            auto_reload=False,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
            **{"trim_blocks": True, **options},
        )
        self.templar = templar
        self.keep_backslashes = keep_backslashes
        self._own_lexer: Lexer | None = None

    @property
    def lexer(self) -> Lexer:
        if self._own_lexer is None:
            self._own_lexer = OwnLexer(self, self.keep_backslashes)
        return self._own_lexer

    def concat(self, values: Iterable[Any]) -> Any:
        """What a macro or a `set` block makes: a lone value as it is, several as text."""
        parts = [value for value in values if value is not None]
        return parts[0] if len(parts) == 1 else self.join_text(parts)

    def join_text(self, parts: list[Any]) -> str:
        text_of = self.templar.text_of
        texts = [part if type(part) is str else text_of(part) for part in parts]
        if sum(map(len, texts)) > budget.OUTPUT:
            raise limit_exceeded(f"its output is longer than {budget.OUTPUT} characters")
        return "".join(texts)

    def joined(self, parts: tuple[Any, ...]) -> str:
        """The `~` operator."""
        texts = [part if type(part) is str else str(self.templar.plain_text(part)) for part in parts]
        budget.check_text(sum(map(len, texts)))
        self.templar.budget().charge(result := "".join(texts))
        return result

    def counted(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """The items of a `for`, with a look at the clock now and then."""
        check = self.templar.budget().check
        check()
        for number, item in enumerate(iterable):
            if not number & 31:
                check()
            yield item

    def template_of(self, text: str) -> Template:
        return Template(text)

    @pass_context
    def value_of(self, context: Any, text: str) -> Any:
        return self.templar.materialize(Template(text), context.scope)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return prepared(super()._parse(source, name, filename), self)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute not in DICT_METHODS:
            try:
                return obj[attribute]
            except KeyError:
                if not attribute.startswith("__"):
                    return Marker(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Lists and dicts that the template made itself may change; variables may not."""
        if not super(ImmutableSandboxedEnvironment, self).is_safe_attribute(obj, attr, value):
            return False
        if isinstance(obj, (LazyDict, LazyList)) and obj._shared_:
            return not modifies_known_mutable(obj, attr)
        return True

    def wrap_str_format(self, value: Any) -> Any:
        formatter = super().wrap_str_format(value)
        if formatter is None:
            return None

        @functools.wraps(formatter)
        def bounded(*args: Any, **kwargs: Any) -> str:
            check_format(value.__self__, (*args, *kwargs.values()))
            return str(formatter(*args, **kwargs))

        return bounded

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.templar.budget().check()
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            check_text_method(owner, getattr(obj, "__name__", ""), args)
        result = super().call(context, obj, *args, **kwargs)
        return [*iter(result)] if isinstance(result, (KeysView, ValuesView, ItemsView)) else result  # keys() is a list, as Ansible has it

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        CHECKS[operator](left, right)
        if operator == "%" and isinstance(left, str):
            right = (
                self.templar.plain_text(right)
                if not isinstance(right, tuple)
                else tuple(map(self.templar.plain_text, right))
            )
        result = super().call_binop(context, operator, left, right)
        self.templar.budget().charge(result)
        return result


def prepared(tree: nodes.Template, environment: TemplateEnvironment) -> nodes.Template:
    """The parsed template with our clock in its loops, and templates inside a lookup's own words marked as such."""
    for call in tree.find_all(nodes.Call):
        if is_lookup(call):
            call.args = [call.args[0], *map(embedded, call.args[1:])] if call.args else []
            call.set_environment(environment)
    return counted_loops(tree, environment)


def with_templates(node: nodes.Node) -> None:
    """In a bare expression, texts that hold `{{ }}` are templates of the author's too: `'{{ a }}' == 'b'`."""
    for name, value in list(node.iter_fields()):
        if isinstance(value, nodes.Const):
            setattr(node, name, evaluated(value))
        elif isinstance(value, list):
            setattr(node, name, [evaluated(item) if isinstance(item, nodes.Const) else item for item in value])
    for child in node.iter_child_nodes():
        if not is_lookup(child) and not isinstance(getattr(child, "node", None), nodes.EnvironmentAttribute):
            with_templates(child)


def is_lookup(node: nodes.Node) -> TypeGuard[nodes.Call]:
    """Its words are templates by other means: some lookups render them themselves."""
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in LOOKUPS


def evaluated(node: nodes.Const) -> nodes.Expr:
    if not isinstance(node.value, str) or not any(mark in node.value for mark in MARKERS):
        return node
    return nodes.Call(nodes.EnvironmentAttribute("value_of"), [node], [], None, None, lineno=node.lineno)


def embedded(node: nodes.Expr) -> nodes.Expr:
    """`lookup('file', '{{ folder }}/key')`: the author's text, so it is a template; no value ever becomes one."""
    if isinstance(node, nodes.List):
        node.items = list(map(embedded, node.items))
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and "{{" in node.value:
        return nodes.Call(nodes.EnvironmentAttribute("template_of"), [node], [], None, None, lineno=node.lineno)
    return node


def counted_loops(tree: nodes.Template, environment: TemplateEnvironment) -> nodes.Template:
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Call(nodes.EnvironmentAttribute("counted"), [loop.iter], [], None, None, lineno=loop.lineno)
        loop.set_environment(environment)
    return tree


def changes_containers(tree: nodes.Template) -> bool:
    """Whether the template calls a method that changes a list or a dict."""
    probes: tuple[Any, ...] = ([], {})
    return any(
        isinstance(call.node, nodes.Getattr) and any(modifies_known_mutable(probe, call.node.attr) for probe in probes)
        for call in tree.find_all(nodes.Call)
    )


def check_format(text: str, arguments: Iterable[Any]) -> None:
    if WIDE_FORMAT.search(text):
        raise limit_exceeded("a width of more than six digits in a format")
    for argument in arguments:
        if "{" in text or "*" in text:
            budget.check_width(argument) if isinstance(argument, int) and nested_width(text) else None


def nested_width(text: str) -> bool:
    """Whether a width comes from an argument: `{:>{}}` or `%*d`."""
    return "*" in text or re.search(r"\{[^{}]*\{", text) is not None


def check_text_method(text: str, name: str, args: tuple[Any, ...]) -> None:
    if name in WIDE_METHODS:
        for argument in args:
            budget.check_width(argument)
    elif name == "replace" and len(args) >= 2 and all(isinstance(part, str) for part in args[:2]):
        check_replace(text, args[0], args[1])
    elif name == "join" and args and isinstance(args[0], (list, tuple)):
        check_join(text, args[0])


def check_replace(text: str, old: str, new: str) -> None:
    if len(new) > len(old):
        budget.check_text(len(text) + text.count(old) * (len(new) - len(old)))


def check_join(separator: str, items: Iterable[Any]) -> None:
    total = 0
    for item in items:
        total += len(separator) + (len(item) if isinstance(item, str) else 0)
        budget.check_text(total)


def _check_times(left: Any, right: Any) -> None:
    for value, count in ((left, right), (right, left)):
        if isinstance(count, int):
            if isinstance(value, (str, bytes)):
                budget.check_text(len(value) * count)
            elif isinstance(value, (list, tuple)):
                budget.check_items(len(value) * count)
    if isinstance(left, int) and isinstance(right, int):
        budget.check_bits(left.bit_length() + right.bit_length())


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        budget.check_bits(left.bit_length() * right)


def _check_percent(left: Any, right: Any) -> None:
    if isinstance(left, str):
        check_format(left, right if isinstance(right, tuple) else (right,))


def _check_plus(left: Any, right: Any) -> None:
    if isinstance(left, str) and isinstance(right, str):
        budget.check_text(len(left) + len(right))
    elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        budget.check_items(len(left) + len(right))


CHECKS = {"*": _check_times, "**": _check_power, "%": _check_percent, "+": _check_plus}
