"""The templar: what is evaluated, when, how often, and what leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from opsplay.errors import OpsError, Where
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.omit import OMIT
from opsplay.templating.pending import NotYetKnown
from opsplay.templating.scope import MISSING, DictScope, OverlayScope
from opsplay.templating.templar import Templar
from opsplay.templating.template import Template
from opsplay.templating.values import Vaulted
from tests.templating.rendering import render, scope_of


class Watched(DictScope):
    """Remembers which names were asked for; some are not known yet."""

    def __init__(self, values: dict[str, Any], unknown: tuple[str, ...] = ()) -> None:
        super().__init__(values)
        self.unknown = unknown
        self.asked: list[str] = []

    def raw(self, name: str) -> object:
        self.asked.append(name)
        if name in self.unknown:
            raise NotYetKnown(name)
        return super().raw(name)


def test_a_lone_expression_keeps_its_type_and_text_around_it_makes_text() -> None:
    scope = scope_of("n: 5\nt: true\nl: [1, '{{ n }}']\nd: {a: '{{ l }}'}")
    assert render("{{ n }}", scope) == 5
    assert render("{{ t }}", scope) is True
    assert render("{{ d }}", scope) == {"a": [1, 5]}
    assert type(render("{{ d }}", scope)["a"]) is list
    assert render("{{ n }}!", scope) == "5!"
    assert render("{% if t %}{{ l }}{% endif %}", scope) == [1, 5]


def test_values_are_rendered_at_any_depth_into_plain_python() -> None:
    found = render({"a": ["{{ x }}", {"b": "{{ y }}"}], "c": 1}, scope_of("y: {z: '{{ x }}'}", x="data"))
    assert found == {"a": ["data", {"b": {"z": "data"}}], "c": 1}
    assert type(found["a"][1]["b"]) is dict


def test_an_item_is_evaluated_only_when_it_is_read() -> None:
    scope = Watched(scope_of("a: {b: '{{ bad }}', c: '{{ good }}'}\ngood: 1").values)
    assert render("{{ a.c }}", scope) == 1
    assert "bad" not in scope.asked
    scope = Watched(scope_of("l: ['{{ bad }}', '{{ good }}']\ngood: 1").values)
    assert render("{{ l[1] }} {{ l | length }}", scope) == "1 2"
    assert "bad" not in scope.asked


def test_a_branch_that_is_not_taken_is_not_read() -> None:
    scope = Watched(scope_of("t: true\nx: 1\nbad: '{{ 1 / 0 }}'").values, unknown=("later",))
    assert render("{{ x if t else later }}", scope) == 1
    assert render("{% if not t %}{{ bad }}{{ later }}{% endif %}{{ x }}", scope) == 1
    assert Templar().condition("t or later == 1", scope) is True
    assert "later" not in scope.asked and "bad" not in scope.asked


@pytest.mark.parametrize(
    "text", ["{{ later }}", "{{ later | default(1) }}", "x{{ later }}", "{{ [later] | to_json }}", "{{ a }}", "{{ d.x.y }}",
             "{{ lookup('vars', 'later', default=1) }}", "{% for i in later %}{% endfor %}", "{{ later is defined }}"],
)  # fmt: skip
def test_what_is_not_known_yet_leaves_unchanged(text: str) -> None:
    scope = Watched(scope_of("a: '{{ later }}'\nd: {x: '{{ later }}'}").values, unknown=("later",))
    with pytest.raises(NotYetKnown) as caught:
        render(text, scope)
    assert caught.value.name == "later"
    templar = Templar()
    with pytest.raises(NotYetKnown):
        templar.condition("later is failed", scope)
    scope.unknown = ()
    scope.values["later"] = {"y": 2}
    assert templar.condition("later.y == 2", scope) is True


def test_a_variable_is_evaluated_once_for_a_scope() -> None:
    scope = scope_of("token: \"{{ lookup('password', '/dev/null') }}\"")
    templar = Templar()
    assert render("{{ token }}", scope, templar) == render("{{ token }}", scope, templar)
    assert "token" in scope.cache


def test_a_changed_value_is_seen_when_the_cache_is_emptied() -> None:
    scope = scope_of("a: '{{ b }}'\nb: 1")
    templar = Templar()
    assert render("{{ a }}", scope, templar) == 1
    scope.values["b"] = 2
    scope.cache.clear()
    assert render("{{ a }}", scope, templar) == 2


def test_an_undefined_variable_is_named_with_its_place() -> None:
    scope = DictScope({"a": Template("{{ missing }}", Where("vars.yml", 3, 4))})
    with pytest.raises(Undefined) as caught:
        Templar().render(Template("x {{ a }}", Where("play.yml", 9, 1)), scope)
    assert "'missing' is undefined" in caught.value.message
    assert caught.value.name == "missing"
    assert str(caught.value.where) == "vars.yml:3:4"
    with pytest.raises(Undefined) as caught:
        Templar().render(Template("{{ nothing }}", Where("play.yml", 9, 1)), DictScope())
    assert str(caught.value.where) == "play.yml:9:1"


def test_an_undefined_value_passes_default_and_defined_at_any_depth() -> None:
    scope = scope_of("a: {b: '{{ missing }}'}\nc: '{{ a.b }}'")
    assert render(
        "{{ c | default('x') }} {{ c is defined }} {{ a.b.c.d | default('y') }} {{ z.y['x'] is undefined }}", scope
    ) == ("x False y True")


@pytest.mark.parametrize("text", ["a: '{{ a }}'", "a: '{{ b }}'\nb: '{{ c }}'\nc: 'x{{ a }}'", "a: {x: '{{ a.x }}'}",
                                  "a: ['{{ a }}']"])  # fmt: skip
def test_a_variable_made_from_itself_is_told(text: str) -> None:
    with pytest.raises(TemplateFailed, match="recursive loop detected in template string") as caught:
        render("{{ a }}", scope_of(text))
    assert caught.value.code == "template-recursion"


def test_the_loop_names_its_chain() -> None:
    with pytest.raises(TemplateFailed, match=r"a -> b -> a"):
        render("{{ a }}", scope_of("a: '{{ b }}'\nb: '{{ a }}'"))


def test_a_template_may_change_only_what_nobody_else_sees() -> None:
    scope = scope_of("l: [1]\nd: {a: 1}")
    templar = Templar()
    assert render("{% set _ = l.append(2) %}{{ l }}", scope, templar) == [1, 2]
    assert render("{% set _ = d.update({'b': 2}) %}{{ d }}", scope, templar) == {"a": 1, "b": 2}
    assert render("{% set n = [] %}{% for i in l %}{% do n.append(i * 2) %}{% endfor %}{{ n }}", scope, templar) == [2]
    assert render("{{ l }}{{ d }}", scope, templar) == "[1]{'a': 1}"
    assert scope.values["l"] == [1]


def test_results_do_not_share_containers_with_variables() -> None:
    scope = scope_of("", facts={"list": [1]})
    found = render("{{ facts }}", scope)
    found["list"].append(2)
    assert render("{{ facts }}", scope) == {"list": [1]}


def test_omit_stays_alone_and_drops_out_of_containers() -> None:
    assert render("{{ omit }}") is OMIT
    assert render("{{ mode | default(omit) }}") is OMIT
    assert render({"a": "{{ omit }}", "b": ["{{ omit }}", 1]}) == {"b": [1]}
    assert render("{{ {'a': omit, 'b': 1} | combine({}) }}") == {"b": 1}


class Keys:
    """A vault that reverses text."""

    opened = 0

    def decrypt(self, ciphertext: str, where: Where | None = None) -> bytes:
        self.opened += 1
        return ciphertext[::-1].encode()


def test_a_vaulted_value_opens_when_it_is_read_once_and_is_told_as_a_secret() -> None:
    vault, secrets = Keys(), []
    templar = Templar(vault=vault, on_secret=secrets.append)
    scope = DictScope({"password": Vaulted("terces"), "other": {"p": Vaulted("}} x {{")}})
    assert vault.opened == 0
    assert templar.render(Template("{{ password }}"), scope) == "secret"
    assert templar.render(Template("{{ other.p }}"), scope) == "{{ x }}", "what a vault held is data"
    assert templar.render({"p": Vaulted("terces")}, scope) == {"p": "secret"}
    assert vault.opened == 2
    assert secrets == ["secret", "{{ x }}"]


def test_without_a_password_a_vaulted_value_says_what_to_type() -> None:
    with pytest.raises(OpsError, match="no vault secrets found") as caught:
        Templar().render(Template("{{ p }}"), DictScope({"p": Vaulted("x", Where("v.yml", 2, 1))}))
    assert "--vault-password-file" in caught.value.remedy
    assert str(caught.value.where) == "v.yml:2:1"


@pytest.mark.parametrize(
    "text",
    ["{{ p }}", "{{ p | default('x') }}", "{{ w | default('x', true) }}", "{{ p ~ 1 }}", "{{ p + '1' }}", "{{ p == 1 }}", "{{ 1 if p }}",
     "{{ [p, 1] }}", "{{ {'a': p} | to_json }}", "{{ p | upper }}", "{{ p.a.b }}", "{{ p | length }}", "{{ p in [1] }}", "{{ p() }}"],
)  # fmt: skip
def test_what_no_password_opens_raises_wherever_it_is_used(text: str) -> None:
    scope = DictScope({"p": Vaulted("x", Where("v.yml", 2, 1)), "w": Template("{{ p }}")})
    with pytest.raises(OpsError, match="Attempt to use undecryptable variable") as caught:
        Templar().render(Template(text), scope)
    assert caught.value.code == "vault-no-password"
    assert str(caught.value.where) == "v.yml:2:1"


def test_what_no_password_opens_may_be_passed_by() -> None:
    scope = DictScope({"v": {"p": Vaulted("x"), "q": 1}, "w": Template("{{ v.p }}")})
    assert (
        Templar().render(Template("{{ v.q }} {{ v.keys() | join }} {{ w | type_debug }}"), scope)
        == "1 pq VaultExceptionMarker"
    )


def test_another_scope_is_seen_through_a_view() -> None:
    templar = Templar()
    web = scope_of("port: '{{ base + 1 }}'\nbase: 80")
    scope = scope_of("base: 1")
    scope.values["hostvars"] = {"web1": templar.view(web)}
    assert render("{{ hostvars.web1.port }} {{ hostvars['web1']['base'] }} {{ base }}", scope, templar) == "81 80 1"
    assert render("{{ 'web1' | extract(hostvars, 'port') }}", scope, templar) == 81
    assert render("{{ hostvars.web1.none is defined }} {{ 'port' in hostvars.web1 }}", scope, templar) == "False True"
    assert render("{{ ['web1'] | map('extract', hostvars, ['port']) | list }}", scope, templar) == [81]


def test_an_overlay_hides_what_is_below() -> None:
    scope = OverlayScope(scope_of("a: '{{ item }}'\nitem: 0"), {"item": 1})
    assert Templar().render(Template("{{ a }}"), scope) == 1
    assert set(scope.names()) == {"a", "item"}
    assert scope.raw("none") is MISSING


def test_macros_loops_and_namespaces_work() -> None:
    text = (
        "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% set ns = namespace(total=0) %}"
        "{% for n in items if n > 1 %}{% set ns.total = ns.total + n %}{{ loop.index }}{{ twice(n) }}"
        "{% if not loop.last %},{% endif %}{% else %}none{% endfor %}={{ ns.total }}"
    )
    assert render(text, scope_of("items: [1, 2, 3]")) == "122,233=5"


def test_a_name_that_the_template_sets_is_its_own() -> None:
    scope = scope_of("x: 1\nt: false")
    assert render("{% set x = x + 1 %}{{ x }}", scope) == 2
    assert render("{% if t %}{% set x = 5 %}{% endif %}{{ x }}", scope) == 1
    assert render("{% for x in [7] %}{{ x }}{% endfor %}{{ x }}", scope) == "71"


def test_newlines_at_the_end_of_text_stay() -> None:
    scope = scope_of("l: [1]\nx: a")
    assert render("{{ x }}\n", scope) == "a\n"
    assert render("x {{ x }}\n\n", scope) == "x a\n\n"
    assert render("{{ l }}\n", scope) == [1]


def test_a_syntax_error_has_its_place() -> None:
    with pytest.raises(TemplateFailed, match="Syntax error in template") as caught:
        Templar().render(Template("{{ a b }}", Where("x.yml", 1, 2)), DictScope())
    assert caught.value.code == "template-syntax"
    assert str(caught.value.where) == "x.yml:1:2"


def test_a_name_of_ansible_builtin_is_the_same_filter() -> None:
    assert render("{{ {'a': 1} | ansible.builtin.combine({'b': 2}) }}") == {"a": 1, "b": 2}
    assert render("{{ 'x' | ansible.builtin.upper }} {{ [1] is ansible.builtin.contains(1) }}") == "X True"
    assert render("{{ query('ansible.builtin.items', [1, [2]], 3) }}") == [1, [2], 3]


def test_data_that_looks_like_a_template_is_told_of_where_that_is_asked_for() -> None:
    scope = DictScope({"data": {"a": ["{{ x }}", "{%"], "b": "plain"}, "t": Template("{{ 1 }}")})
    said: list[str] = []
    templar = Templar()
    assert templar.render(Template("{{ data }}"), scope) == {"a": ["{{ x }}", "{%"], "b": "plain"}
    templar.tell_untrusted(said.append)
    for _ in range(2):
        assert templar.render(Template("{{ data }}"), scope) == {"a": ["{{ x }}", "{%"], "b": "plain"}
        assert templar.render(Template("{{ t }}"), scope) == 1
    assert sorted(said) == [
        f"Encountered untrusted template or expression, which is left as it is: {text!r}" for text in ("{%", "{{ x }}")
    ]


def test_unvault_opens_what_the_runs_passwords_do_not() -> None:
    from opsplay.vault.cipher import seal

    scope = DictScope({"p": Vaulted(seal(b"hidden", b"secret"))})
    assert Templar().render(Template("{{ p | unvault('secret') }}"), scope) == "hidden"
    with pytest.raises(OpsError, match="'nope' is undefined"):
        Templar().render(Template("{{ nope | unvault('secret') }}"), scope)


def test_json_in_the_form_of_inventories_marks_unsafe_texts() -> None:
    text = '{"a": {"__ansible_unsafe": "{{ x }}"}, "b": [{"__ansible_vault": "$ANSIBLE_VAULT"}]}'
    scope = DictScope({"text": text})
    assert Templar().render(Template("{{ text | from_json(profile='inventory_legacy') }}"), scope) == {"a": "{{ x }}", "b": ["$ANSIBLE_VAULT"]}
    assert Templar().render(Template("{{ (text | from_json).a }}"), scope) == {"__ansible_unsafe": "{{ x }}"}
