"""Conditions: booleans only, with the form to write where there is none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from opsplay.errors import Where
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.templar import Templar
from opsplay.templating.template import Template
from tests.templating.rendering import scope_of

SCOPE = scope_of("yes_text: 'yes'\nname: web\nitems: [1]\nnumber: 3\nnothing: null")


@pytest.mark.parametrize(
    ("expression", "write"),
    [
        ("yes_text", "yes_text | bool"),
        ("name", "name | length > 0"),
        ("items", "items | length > 0"),
        ("number", "number is truthy"),
        ("nothing", "nothing is not none"),
        ("name or number", "(name or number) | length > 0"),
    ],
)
def test_the_message_shows_the_form_to_write(expression: str, write: str) -> None:
    with pytest.raises(TemplateFailed, match="Conditionals must have a boolean result") as caught:
        Templar().condition(expression, SCOPE, Where("play.yml", 4, 7))
    assert caught.value.code == "condition-not-boolean"
    assert caught.value.remedy == f"Write: {write}"
    assert str(caught.value.where) == "play.yml:4:7"


def test_broken_conditionals_may_be_allowed() -> None:
    templar = Templar(settings=SimpleNamespace(allow_broken_conditionals=True))
    assert templar.condition("items", SCOPE) is True
    assert templar.condition("''", SCOPE) is False
    assert templar.condition("nothing", SCOPE) is False


def test_lists_and_templates_and_booleans() -> None:
    templar = Templar()
    assert templar.condition(["number == 3", True, Template("{{ name == 'web' }}")], SCOPE) is True
    assert templar.condition(["number == 4", "never.read"], SCOPE) is False
    assert templar.condition(None, SCOPE) is True
    assert templar.condition([], SCOPE) is True


def test_an_undefined_name_in_a_condition() -> None:
    with pytest.raises(Undefined, match="Error while evaluating conditional: 'missing' is undefined") as caught:
        Templar().condition("missing == 1", SCOPE, Where("p.yml", 2, 3))
    assert str(caught.value.where) == "p.yml:2:3"
    assert caught.value.name == "missing"


def test_text_of_a_variable_is_never_an_expression() -> None:
    scope = scope_of("", fact="1 == 1", other="true")
    for expression in ("fact", "{{ fact }}", "other", "{{ other }}"):
        with pytest.raises(TemplateFailed, match="boolean"):
            Templar().condition(expression, scope)


@pytest.mark.parametrize("expression", ["'{{ name }}' == 'web'", "'{{ number }}' == 3", "name == '{{ name }}'", "name in ['{{ name }}']",
                                        "name is match('{{ name }}')", "{'{{ name }}': 1}['web'] == 1", "'{% if number %}a{% endif %}' == 'a'"])  # fmt: skip
def test_templates_in_the_texts_of_a_condition(expression: str) -> None:
    assert Templar().condition(expression, SCOPE) is True


def test_text_of_a_variable_in_a_condition_is_no_template() -> None:
    scope = scope_of("data: !unsafe '{{ 1 + 1 }}'")
    assert Templar().condition("data == '2'", scope) is False
    assert Templar().condition("'{{ data }}' | length == 11", scope) is True
