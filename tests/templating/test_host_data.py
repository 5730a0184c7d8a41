"""Fault rows 1 and 2: what a host sends is never evaluated and never changes its type."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsplay.templating.failures import TemplateFailed
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.templating.template import Template
from opsplay.templating.values import compile_plain
from tests.templating.payloads import payloads
from tests.templating.rendering import render

ran: list[Any] = []


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that only an executed payload makes; the usual ways to run something are watched, too."""
    ran.clear()
    for owner, name in ((os, "system"), (os, "popen"), (subprocess, "run"), (subprocess, "Popen")):
        monkeypatch.setattr(owner, name, lambda *args, _name=name, **_: ran.append((_name, args)))
    path = tmp_path / "canary"
    yield path
    assert ran == []
    assert not path.exists()


# Positions: the template is the playbook's, `p` is what a host sent; each gives `p` again.
POSITIONS = [
    "{{ p }}",
    "{{ facts.a }}",
    "{{ facts['l'][0] }}",
    "{{ registered.stdout }}",
    "{{ registered.results[0].item }}",
    "{{ indirect }}",
    "{{ twice.removed.again }}",
    "{{ p | string }}",
    "{{ p | default('x') }}",
    "{{ [p] | first }}",
    "{{ {'k': p}.k }}",
    "{{ {p: 1} | list | first }}",
    "{{ {p: 1} | dict2items | map(attribute='key') | first }}",
    "{{ [p] | map('regex_replace', 'zzzz', p) | first }}",
    "{{ p | regex_replace('^zzz$', p) }}",
    "{{ p | to_json | from_json }}",
    "{{ [p] | to_yaml | from_yaml | first }}",
    "{{ p | b64encode | b64decode }}",
    "{{ ({'a': {}} | combine({'a': {'b': p}}, recursive=true)).a.b }}",
    "{{ p | ternary(p, p) }}",
    "{{ [[p]] | flatten | join }}",
    "{{ lookup('vars', 'p') }}",
    "{{ lookup('items', [p]) }}",
    "{{ query('list', p) | first }}",
    "{{ lookup('dict', {'k': p}).value }}",
    "{{ lookup('env', 'NOT_THERE', default=p) }}",
    "{{ lookup('file', datafile, rstrip=false) }}",
    "{{ lookup('template', show) }}",
    "{% set x = p %}{{ x }}",
    "{% for x in [p] %}{{ x }}{% endfor %}",
    "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(p) }}",
    "{{ '%s' | format(p) }}",
    "{{ '{}'.format(p) }}",
    "{{ p ~ '' }}",
    "{{ p if p else '' }}",
    "{{ p | mandatory }}",
    "{{ [p, 'b'] | unique | first }}",
    "{{ [{'k': p}] | map(attribute='k') | first }}",
    "{{ [{'k': p}] | items2dict(key_name='k', value_name='k') | list | first }}",
]


def scope_with(payload: str, folder: Path, position: str = "") -> DictScope:
    values = compile_plain(
        {
            "indirect": "{{ p }}",
            "twice": {"removed": "{{ other }}"},
            "other": {"again": "{{ indirect }}"},
            "secret": "S",
        }
    )
    assert isinstance(values, dict)
    if "lookup" in position:
        (folder / "data").write_text(payload)
        (folder / "show.j2").write_text("{{ p }}")
    data = {"p": payload, "facts": {"a": payload, "l": [payload]}, "datafile": str(folder / "data"),
            "registered": {"stdout": payload, "results": [{"item": payload}]}, "show": str(folder / "show.j2")}  # fmt: skip
    return DictScope({**values, **data})


def test_there_are_200_payloads() -> None:
    assert len(set(payloads("/c"))) == 200


@pytest.mark.parametrize("position", POSITIONS)
def test_payloads_pass_unchanged(position: str, canary: Path, tmp_path: Path) -> None:
    templar = Templar()
    for payload in payloads(str(canary)):
        scope = scope_with(payload, tmp_path, position)
        found = templar.render(Template(position), scope)
        assert found == payload
        assert templar.render(found, scope) == payload, "a result is data: rendering it again changes nothing"
        assert templar.render({"arg": [found]}, scope) == {"arg": [payload]}


def test_a_payload_in_a_condition_is_text(canary: Path, tmp_path: Path) -> None:
    templar = Templar()
    for payload in payloads(str(canary)):
        scope = scope_with(payload, tmp_path)
        for expression in ("p", "facts.a", "{{ p }}", "registered.stdout", "indirect"):
            with pytest.raises(TemplateFailed, match="boolean"):
                templar.condition(expression, scope)
        assert templar.condition("p == facts.a", scope) is True


def test_a_payload_as_a_pattern_a_name_or_a_loop_is_text(canary: Path, tmp_path: Path) -> None:
    templar = Templar()
    for payload in payloads(str(canary)):
        scope = scope_with(payload, tmp_path)
        assert templar.render(Template("{{ p | regex_escape }}"), scope)
        assert templar.lookup("items", [[payload]], scope) == [payload]
        assert templar.lookup("dict", [{payload: payload}], scope) == [{"key": payload, "value": payload}]
        assert templar.render(Template("{{ facts[p] is defined }}"), scope) is False
        assert templar.render(Template("{{ lookup('first_found', [p], skip=true) }}"), scope) == []


@pytest.mark.parametrize(
    "text", ["[1,2]", "{'a': 1}", "None", "null", "true", "False", "yes", "0x10", "010", "1e3", "1_000", "42", "3.0", "", " ",
             "[]", "{}", "2024-01-01", "~", "b'x'", "(1, 2)", "'quoted'", '"quoted"', "nan", "inf", "1+1j"],
)  # fmt: skip
def test_text_of_a_host_stays_text(text: str) -> None:
    scope = DictScope({"p": text, "facts": {"a": [text]}, "indirect": Template("{{ p }}")})
    positions = ("{{ p }}", "{{ facts.a[0] }}", "{{ indirect }}", "{{ p | default('x') }}", "{{ [p] | first }}",
                 "{% if true %}{{ p }}{% endif %}", "{{ lookup('vars', 'p') }}", "{{ p }}{{ '' }}", "{{ p | string }}")  # fmt: skip
    for position in positions:
        found = Templar().render(Template(position), scope)
        assert type(found) is str
        assert found == text


def test_hostile_keys_are_only_keys() -> None:
    keys = [
        "vars",
        "__class__",
        "_scope_",
        "_templar_",
        "items",
        "keys",
        "get",
        "ansible_connection",
        "{{ x }}",
        "hostvars",
        "pop",
    ]
    scope = DictScope({"facts": {key: "data" for key in keys}})
    found = render("{{ facts }}", scope)
    assert found == {key: "data" for key in keys}
    for key in keys:
        assert render(f"{{{{ facts[{json.dumps(key)}] }}}}", scope) == "data"
    assert render("{{ facts.items() | list | length }}", scope) == len(keys)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}", "{{ ''['__class__'] }}", "{{ '' | attr('__class__') }}", "{{ '{0.__class__}'.format('') }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}", "{{ lookup.__globals__ }}", "{{ now.__globals__ }}", "{{ [].__class__.__base__ }}",
        "{{ (1).__class__ }}", "{{ cycler.__init__ }}", "{{ namespace().__class__ }}", "{{ self.__init__ }}",
        "{{ '%(x)s'.__mod__ }}", "{{ facts._templar_ }}", "{{ facts.__reduce__ }}", "{{ facts.a.__class__ }}",
        "{{ ''.format_map.__self__.__class__ }}", "{{ [''] | map(attribute='__class__') | list }}",
        "{{ ['{0.__class__}'] | map('format', 1) | select('search', 'class') | list | first | attr('__class__') }}",
        "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    ],
)  # fmt: skip
def test_nothing_leads_out_of_the_sandbox(text: str) -> None:
    from opsplay.errors import OpsError

    with pytest.raises(OpsError):
        render(text, DictScope({"facts": {"a": "x"}}))
