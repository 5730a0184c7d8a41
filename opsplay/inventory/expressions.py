"""Expressions: the Jinja of constructed and generator files, evaluated by the templar over plain variables."""

from __future__ import annotations

from collections.abc import Mapping

from opsplay.errors import Where
from opsplay.source.text_file import Opener
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.templating.template import Template, template_or_text


class Expressions:
    """Bare expressions, conditions and templates over one host's variables."""

    def __init__(self, vault: Opener | None = None) -> None:
        self._templar = Templar(vault=vault)

    def scope(self, variables: Mapping[str, object]) -> DictScope:
        return DictScope(variables)

    def value(self, expression: str, scope: DictScope, where: Where) -> object:
        return self._templar.render(Template("{{ " + expression + " }}", where), scope)

    def holds(self, expression: object, scope: DictScope, where: Where) -> bool:
        return self._templar.condition(expression, scope, where)

    def text(self, text: str, scope: DictScope, where: Where) -> str:
        return str(self._templar.render(template_or_text(text, where), scope))
