"""Templar: evaluates Template objects against a scope; nothing else is ever evaluated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from opsplay.errors import OpsError, Where
from opsplay.templating.budget import SECONDS, Budget
from opsplay.templating.failures import TemplateFailed, too_deep
from opsplay.templating.lazy import LazyDict, LazyList
from opsplay.templating.omit import OMIT
from opsplay.templating.scope import MISSING, Scope, ScopeView
from opsplay.templating.template import Template
from opsplay.templating.unknown import Unknown, UnknownValue
from opsplay.templating.values import Unsafe, Vaulted

if TYPE_CHECKING:
    from opsplay.templating.environment import TemplateEnvironment
    from opsplay.templating.lookups import LookupContext
    from opsplay.templating.plugins import Plugins
    from opsplay.templating.program import Program

ATOMS = frozenset({str, int, bool, float, type(None), bytes})


class Vault(Protocol):
    def decrypt(self, ciphertext: str, where: Where | None = None) -> str | bytes: ...


class _State(threading.local):
    """What one thread is evaluating now."""

    def __init__(self) -> None:
        self.chain: dict[tuple[int, int], str] = {}
        self.budget: Budget | None = None


class Templar:
    """`settings`, `vault`, `plugins` and `lookup_context` may be None; `on_secret` is told every decrypted text."""

    def __init__(
        self,
        settings: object = None,
        vault: Vault | None = None,
        plugins: Plugins | None = None,
        lookup_context: LookupContext | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.vault = vault
        self.lookup_context = lookup_context
        self.on_secret = on_secret
        self._plugins = plugins
        self._state = _State()
        self._programs: dict[tuple[str, bool], Program] = {}
        self._opened: dict[str, str] = {}
        self._files: dict[tuple[int, str, str, bool], Program] = {}
        self.file_environments: dict[Any, TemplateEnvironment] = {}

    # --- the interface ---------------------------------------------------------------------------------------------

    def render(self, value: object, scope: Scope) -> Any:
        """The value with every Template in it evaluated: plain Python, nothing lazy, nothing undefined."""
        kind = type(value)
        if kind in ATOMS:
            return value
        if kind is Template:
            return self.plain(self.materialize(value, scope))
        if kind is dict:
            assert isinstance(value, dict)
            found = {key: item if type(item) in ATOMS else self.render(item, scope) for key, item in value.items()}
            return {key: item for key, item in found.items() if item is not OMIT}
        if kind is list:
            assert isinstance(value, list)
            items = (item if type(item) in ATOMS else self.render(item, scope) for item in value)
            return [item for item in items if item is not OMIT]
        return self.open(value) if isinstance(value, Vaulted) else self.plain(value)

    def condition(self, expression: object, scope: Scope, where: Where | None = None) -> bool:
        """Whether a `when`, `until`, `failed_when` ... holds. A list holds when all of its items do."""
        from opsplay.templating.conditions import holds

        return holds(self, expression, scope, where)

    def evaluate(self, expression: str, scope: Scope, where: Where | None = None) -> Any:
        """The value of a bare expression, as plain Python."""
        return self.plain(self.run(self.program(expression, bare=True), scope, where), where)

    def lookup(self, name: str, terms: Any, scope: Scope, /, **options: Any) -> list[Any]:
        """What a lookup plugin finds, always a list."""
        from opsplay.templating.lookups import run_lookup

        return run_lookup(self, name, terms, scope, options)

    def render_file(self, path: str, scope: Scope, **options: Any) -> str:
        """A template file, rendered: `searchpath` for includes, `destpath`, and the syntax options of `template`."""
        from opsplay.templating.template_files import render_file

        return render_file(self, path, scope, options)

    def file_value(self, path: str, scope: Scope, **options: Any) -> Any:
        """The same, but a file that is a single expression keeps the expression's type."""
        from opsplay.templating.template_files import file_value

        return file_value(self, path, scope, options, as_text=False)

    def render_text(self, text: str, scope: Scope, path: str | None = None, **options: Any) -> str:
        """Trusted text with the rules of template files (`copy: content` with `template`, blocks of text)."""
        from opsplay.templating.template_files import render_text

        return render_text(self, text, scope, path, options)

    def text_of(self, value: Any) -> str:
        """A value in the middle of text: none is nothing, and a tuple shows as the list that it will be."""
        if value is None:
            return ""
        from opsplay.templating.leaving import is_container

        return str(self.plain(value) if type(value) not in ATOMS and is_container(value) else value)

    def plain_text(self, value: Any) -> Any:
        """A container without anything lazy in it, for a filter that makes text of what it gets."""
        from opsplay.templating.leaving import is_container

        if type(value) in ATOMS or not is_container(value):
            return value
        return tuple(self.plain(value)) if isinstance(value, tuple) else self.plain(value)

    def view(self, scope: Scope) -> ScopeView:
        """The scope as a mapping, for `vars` and the items of `hostvars`."""
        return ScopeView(self, scope)

    # --- names and values ------------------------------------------------------------------------------------------

    def resolve(self, name: str, scope: Scope) -> Any:
        """The value of a variable, its items still lazy; MISSING, or an undefined marker, where there is none."""
        cache = scope.cache
        if name in cache:
            return cache[name]
        raw = scope.raw(name)
        if type(raw) in ATOMS or raw is MISSING:
            return raw
        value = cache[name] = self.materialize(raw, scope, name)
        return value

    def resolve_plain(self, name: str, scope: Scope) -> Any:
        """A variable as plain Python; None where there is none."""
        value = self.resolve(name, scope)
        return None if value is MISSING else self.plain(value)

    def materialize(self, raw: Any, scope: Scope, label: str = "", shared: bool = True) -> Any:
        """A compiled value, one level deep: what an expression works with."""
        kind = type(raw)
        if kind is Template:
            raw = self._evaluate(raw, scope, label)
            kind = type(raw)
        if kind is dict:
            return LazyDict(raw, self, scope, shared)
        if kind is list or kind is tuple:
            return LazyList(raw, self, scope, shared)
        if kind is Unsafe:
            return str.__str__(raw)
        if kind is Unknown:
            raise UnknownValue(raw.what)
        return self.opened(raw) if kind is Vaulted else raw

    def opened(self, vaulted: Vaulted) -> Any:
        """The text of a `!vault` value, or what raises where it is used."""
        try:
            return self.open(vaulted)
        except OpsError as error:
            from opsplay.templating.undefined import VaultExceptionMarker

            return VaultExceptionMarker(error, vaulted.ciphertext)

    def private_copy(self, name: str, scope: Scope) -> Any:
        """The variable again, not from the cache: for a template that changes what it reads."""
        raw = scope.raw(name)
        if isinstance(raw, Template):
            raw = self.plain(self.materialize(raw, scope, name))
        return raw if raw is MISSING else self.materialize(raw, scope, name, shared=False)

    def open(self, vaulted: Vaulted) -> str:
        """The text of a `!vault` value."""
        if vaulted.ciphertext not in self._opened:
            self._opened[vaulted.ciphertext] = self._decrypt(vaulted)
        return self._opened[vaulted.ciphertext]

    def was_vaulted(self, value: Any) -> bool:
        """Whether the value is the very text that a `!vault` value gave."""
        return any(value is text for text in self._opened.values())

    def _decrypt(self, vaulted: Vaulted) -> str:
        if self.vault is None:
            raise TemplateFailed(
                "Attempting to decrypt but no vault secrets found",
                vaulted.where,
                "Give one with --vault-password-file FILE or --ask-vault-pass.",
                code="vault-no-password",
            )
        text = self.vault.decrypt(vaulted.ciphertext, vaulted.where)
        text = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
        if self.on_secret is not None:
            self.on_secret(text)
        return text

    def plain(self, value: Any, where: Where | None = None) -> Any:
        """The value as it leaves templating: str, numbers, dict, list; an undefined one raises."""
        kind = type(value)
        if kind in ATOMS:
            return value
        state = self._state
        if state.budget is not None:
            return self._plain(value, kind, where)
        state.budget = self.budget()
        try:
            return self._plain(value, kind, where)
        except RecursionError:
            raise too_deep(where) from None
        finally:
            state.budget = None

    def tell_untrusted(self, tell: Callable[[str], None]) -> None:
        """From now on tell of data that looks like a template where it leaves: it stays as it is, which may surprise."""
        from opsplay.templating.leaving import template_like

        plain, said = self.plain, set[str]()

        def told(value: Any, where: Where | None = None) -> Any:
            found = plain(value, where)
            for text in {*template_like(found)} - said:
                said.add(text)
                tell(f"Encountered untrusted template or expression, which is left as it is: {text[:200]!r}")
            return found

        self.plain = told  # type: ignore[method-assign]

    def _plain(self, value: Any, kind: type, where: Where | None) -> Any:
        if kind is LazyDict:
            return self._plain_pairs(value.raw_items(), value._scope_)
        if kind is LazyList:
            return self._plain_items(value.raw_items(), value._scope_)
        if kind is dict:
            return self._plain_pairs(value.items(), None)
        from opsplay.templating.leaving import plain_other

        return plain_other(self, value, where)

    def _plain_pairs(self, pairs: Collection[tuple[Any, Any]], scope: Scope | None) -> dict[Any, Any]:
        self.budget().spend(len(pairs))
        result = {key: item if type(item) in ATOMS else self._leave(item, scope) for key, item in pairs}
        return {key: item for key, item in result.items() if item is not OMIT}

    def _plain_items(self, items: Collection[Any], scope: Scope | None) -> list[Any]:
        self.budget().spend(len(items))
        result = [item if type(item) in ATOMS else self._leave(item, scope) for item in items]
        return [item for item in result if item is not OMIT]

    def _leave(self, item: Any, scope: Scope | None) -> Any:
        kind = type(item)
        if scope is None or (kind is not Template and kind is not Vaulted and kind is not dict and kind is not list):
            return self.plain(item)
        if kind is dict:
            return self._plain_pairs(item.items(), scope)
        return self._plain_items(item, scope) if kind is list else self.plain(self.materialize(item, scope))

    # --- evaluation ------------------------------------------------------------------------------------------------

    @cached_property
    def environment(self) -> TemplateEnvironment:
        from opsplay.templating.environment import TemplateEnvironment

        environment = TemplateEnvironment(self)
        self.equip(environment)
        return environment

    @cached_property
    def expressions(self) -> TemplateEnvironment:
        """The environment of bare expressions: their strings have Python's escapes, those of `{{ }}` have none."""
        from opsplay.templating.environment import TemplateEnvironment

        environment = TemplateEnvironment(self, keep_backslashes=False)
        environment.filters = self.environment.filters
        environment.tests = self.environment.tests
        environment.globals = self.environment.globals
        return environment

    @cached_property
    def plugins(self) -> Plugins:
        from opsplay.templating.plugins import Plugins

        if self._plugins is not None:
            return self._plugins
        kinds = ("filter_plugins", "test_plugins", "lookup_plugins", "collections_path")
        filters, tests, lookups, collections = (list(getattr(self.settings, kind, ())) for kind in kinds)
        return Plugins(filters, tests, lookups, collections)

    def equip(self, environment: Any) -> None:
        """Gives an environment our filters, tests and functions."""
        from opsplay.templating.functions import FUNCTIONS
        from opsplay.templating.plugins import PluginTable

        environment.filters = PluginTable("filter", environment.filters, self.plugins, self)
        environment.tests = PluginTable("test", environment.tests, self.plugins, self)
        environment.globals.update(FUNCTIONS)

    def budget(self) -> Budget:
        """The budget of the rendering that is going on in this thread."""
        state = self._state
        return state.budget or Budget(getattr(self.settings, "template_seconds", None) or SECONDS)

    def program(self, source: str, bare: bool = False) -> Program:
        """The compiled form of a text, or of a bare expression."""
        key = (source, bare)
        found = self._programs.get(key)
        if found is None:
            from opsplay.templating.program import compile_expression, compile_text

            found = compile_expression(self.expressions, source) if bare else compile_text(self.environment, source)
            if len(self._programs) >= 50_000:
                self._programs.clear()
            self._programs[key] = found
        return found

    def file_program(self, environment: TemplateEnvironment, text: str, name: str, as_text: bool) -> Program:
        from opsplay.templating.template_files import compile_file

        key = (id(environment), name, text, as_text)
        if key not in self._files:
            if len(self._files) >= 1000:
                self._files.clear()
            self._files[key] = compile_file(environment, text, name, as_text)
        return self._files[key]

    def _evaluate(self, template: Template, scope: Scope, label: str) -> Any:
        state = self._state
        key = (id(template), id(scope))
        if key in state.chain:
            raise self._loop(template, label)
        state.chain[key] = label or template.source
        try:
            return self._of_template(template, scope)
        except OpsError as error:
            if error.where is None:
                error.where = template.where
            raise
        finally:
            del state.chain[key]

    def _of_template(self, template: Template, scope: Scope) -> Any:
        program = template.compiled
        if program is None or program.owner is not self:  # type: ignore[attr-defined]
            program = template.compiled = self.program(template.source)
        name: str | None = program.name  # type: ignore[attr-defined]
        if name is not None:
            value = self.resolve(name, scope)
            if value is not MISSING:
                return value
        return self.run(program, scope, template.where)  # type: ignore[arg-type]

    def run(self, program: Program, scope: Scope, where: Where | None = None) -> Any:
        """The value of a program: internal, so lazy containers and markers may be in it."""
        state = self._state
        outermost = state.budget is None
        if outermost:
            state.budget = self.budget()
        try:
            return program.value(scope, where)
        except OpsError as error:
            if error.where is None:
                error.where = where
            raise
        finally:
            if outermost:
                state.budget = None

    def _loop(self, template: Template, label: str) -> TemplateFailed:
        chain = [*self._state.chain.values(), label or template.source]
        return TemplateFailed(
            f"recursive loop detected in template string: {' -> '.join(chain)}",
            template.where,
            "A variable may not be made from itself; give one of them another name.",
            code="template-recursion",
        )
