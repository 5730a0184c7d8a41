"""Filters, tests and lookups that users wrote for Ansible."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.templating.failures import TemplateFailed
from opsplay.templating.plugins import Plugins
from opsplay.templating.templar import Templar
from opsplay.templating.user_plugins import load_lookup
from tests.templating.rendering import render, scope_of

FILTERS = """
from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.text.converters import to_text
from jinja2 import pass_environment

def shout(value, mark="!"):
    if not isinstance(value, str):
        raise AnsibleFilterError("shout wants text")
    return to_text(value).upper() + mark

def types(value):
    return [type(value).__name__, type(value["a"]).__name__]

@pass_environment
def with_environment(environment, value):
    return environment.getitem(value, 0)

class FilterModule:
    def filters(self):
        return {"shout": shout, "types": types, "basename": lambda value: "mine", "with_environment": with_environment}
"""
TESTS = "class TestModule:\n    def tests(self):\n        return {'even_length': lambda value: len(value) % 2 == 0}\n"
LOOKUP = """
from ansible.plugins.lookup import LookupBase
from ansible.errors import AnsibleError

DOCUMENTATION = '''
options:
  end: {description: what comes last}
  start: {description: what comes first, default: ">"}
'''

class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        if "fail" in terms:
            raise AnsibleError("told to fail")
        self.set_options(var_options=variables, direct=kwargs)
        return [f"{self.get_option('start')}{term}-{variables['x']}-{self.get_option('end')}" for term in terms]
"""


@pytest.fixture(params=["ansible as it is here", "no ansible"])
def templar(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Templar:
    if request.param == "no ansible":
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    for name, text in (("filter/mine.py", FILTERS), ("test/mine.py", TESTS), ("lookup/marked.py", LOOKUP)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    collected = tmp_path / "ansible_collections" / "acme" / "tools" / "plugins" / "filter"
    collected.mkdir(parents=True)
    (collected / "own.py").write_text(
        "class FilterModule:\n    def filters(self):\n        return {'own': lambda value: 'acme'}\n"
    )
    folders = [[str(tmp_path / kind)] for kind in ("filter", "test", "lookup")]
    return Templar(plugins=Plugins(*folders, [str(tmp_path)]))


def test_users_plugins_work(templar: Templar) -> None:
    scope = scope_of("x: 7\nd: {a: {b: '{{ x }}'}}")
    assert render("{{ 'a' | shout }} {{ 'a' | shout(mark='?') }}", scope, templar) == "A! A?"
    assert render("{{ d | types }}", scope, templar) == ["dict", "dict"], "plain values, nothing lazy"
    assert render("{{ '/a/b' | basename }}", scope, templar) == "mine", "a user's filter wins over ours"
    assert render("{{ [3] | with_environment }}", scope, templar) == 3
    assert render("{{ 'ab' is even_length }}", scope, templar) is True
    assert render("{{ query('marked', 'a', 'b', end='z') }}", scope, templar) == [">a-7-z", ">b-7-z"]
    assert render("{{ 1 | acme.tools.own }}", scope, templar) == "acme"


def test_their_errors_name_them(templar: Templar) -> None:
    with pytest.raises(TemplateFailed, match="The filter plugin 'shout' failed: shout wants text"):
        render("{{ 1 | shout }}", None, templar)
    with pytest.raises(TemplateFailed, match="The lookup plugin 'marked' failed: told to fail"):
        render("{{ lookup('marked', 'fail') }}", None, templar)


def test_a_folder_may_be_added_while_running(templar: Templar, tmp_path: Path) -> None:
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "late.py").write_text(
        "class FilterModule:\n    def filters(self):\n        return {'late': lambda value: 'L'}\n"
    )
    with pytest.raises(TemplateFailed, match="No filter named 'late'"):
        render("{{ 1 | late }}", None, templar)
    templar.plugins.add("filter", str(tmp_path / "late"))
    assert render("{{ 1 | late }}", None, templar) == "L"


def test_a_plugin_that_does_not_import_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_module_anywhere\n")
    with pytest.raises(OpsError, match="no_such_module_anywhere") as caught:
        render("{{ 1 | anything }}", None, Templar(plugins=Plugins([str(tmp_path)])))
    assert caught.value.code == "plugin-does-not-load"
    assert str(caught.value.where) == str(tmp_path / "broken.py")


def test_a_broken_file_takes_only_its_own_plugins_away(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "broken.py").write_text("raise ValueError('boom')\n")
    (tmp_path / "failing.py").write_text(
        "class FilterModule:\n    def filters(self):\n        raise TypeError('bang')\n"
    )
    (tmp_path / "no_filters.py").write_text("class FilterModule:\n    pass\n")
    (tmp_path / "good.py").write_text(
        "class FilterModule:\n    def filters(self):\n        return {'good': lambda value: 'G'}\n"
    )
    plugins = Plugins([str(tmp_path)], warn=said.append)
    assert render("{{ 1 | good }}", None, Templar(plugins=plugins)) == "G"
    assert render("{{ 'a' | upper }}", None, Templar(plugins=plugins)) == "A"
    assert [text.partition("': ")[0] for text in said] == [
        f"Skipping filter plugin '{tmp_path}/{name}.py" for name in ("broken", "failing", "no_filters")
    ]
    assert "boom" in said[0] and "bang" in said[1]


def test_a_broken_lookup_matters_where_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('boom')\n")
    (tmp_path / "good.py").write_text(
        "class LookupModule:\n    def run(self, terms, variables=None, **_):\n        return terms\n"
    )
    templar = Templar(plugins=Plugins(lookup_folders=[str(tmp_path)]))
    assert render("{{ query('good', 1) }}", None, templar) == [1]
    with pytest.raises(OpsError, match="The lookup plugin 'broken' failed to load: boom"):
        render("{{ query('broken', 1) }}", None, templar)
    with pytest.raises(OpsError, match="The lookup plugin 'nope' was not found"):
        render("{{ query('nope', 1) }}", None, templar)


def test_an_option_of_a_lookup_may_be_called_terms(tmp_path: Path) -> None:
    text = "class LookupModule:\n    def run(self, first, variables=None, terms=None):\n        return [first, terms]\n"
    (tmp_path / "own.py").write_text(text)
    templar = Templar(plugins=Plugins(lookup_folders=[str(tmp_path)]))
    assert render("{{ query('own', 1, terms=2) }}", None, templar) == [[1], 2]


def test_a_plugin_of_a_collection_imports_what_lies_beside_it(tmp_path: Path) -> None:
    plugins = tmp_path / "collections" / "ansible_collections" / "acme" / "tools" / "plugins"
    for folder, text in (
        ("plugin_utils/words.py", "def greet(name):\n    return 'hello ' + name\n"),
        ("lookup/greeting.py", "from ansible.plugins.lookup import LookupBase\nfrom ansible_collections.acme.tools.plugins.plugin_utils import words\n"
         "class LookupModule(LookupBase):\n    def run(self, terms, variables=None, **kwargs):\n        return [words.greet(term) for term in terms]\n"),
    ):  # fmt: skip
        (plugins / folder).parent.mkdir(parents=True, exist_ok=True)
        (plugins / folder).write_text(text)
    found = load_lookup(str(plugins / "lookup"), "greeting")
    assert found().run(["world"]) == ["hello world"]
    assert str(tmp_path / "collections") not in sys.path


def collection_filter(base: Path, word: str) -> None:
    """A filter that imports relatively, absolutely, and only when it is called."""
    plugins = base / "ansible_collections" / "acme" / "tools" / "plugins"
    for name, text in {
        "module_utils/words.py": f"WORD = {word!r}\n",
        "plugin_utils/late.py": f"LATE = 'late ' + {word!r}\n",
        "filter/own.py": """
from ..module_utils.words import WORD
from ansible_collections.acme.tools.plugins.module_utils import words

def own(value):
    from ansible_collections.acme.tools.plugins.plugin_utils.late import LATE
    return [value, WORD, words.WORD, LATE, __name__]

class FilterModule:
    def filters(self):
        return {"own": own}
""",
    }.items():
        (plugins / name).parent.mkdir(parents=True, exist_ok=True)
        (plugins / name).write_text(text)


def test_a_filter_of_a_collection_imports_relatively_and_late_from_its_own_folder(tmp_path: Path) -> None:
    for base in ("one", "two", "one"):
        collection_filter(tmp_path / base, base)
        templar = Templar(plugins=Plugins(collection_folders=[str(tmp_path / base)]))
        name = "ansible_collections.acme.tools.plugins.filter.own"
        assert render("{{ 1 | acme.tools.own }}", None, templar) == [1, base, base, f"late {base}", name]


DECLARED = '''
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
options:
  _terms: {required: true}
  many: {type: list, choices: [a, b, c]}
  number: {type: int, default: 5, vars: [{name: own_number}], env: [{name: OWN_NUMBER}], ini: [{section: own, key: number}]}
  flag: {type: bool, aliases: [switch]}
  text: {type: str}
  needed: {required: true, vars: [{name: own_needed}]}
"""

class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        if "late" not in terms:
            self.set_options(var_options=variables, direct=kwargs)
        return [{name: self.get_option(name) for name in ("many", "number", "flag", "text")}]
'''


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Templar:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(DECLARED)
    return Templar(plugins=Plugins(lookup_folders=[str(tmp_path)]))


def test_options_have_the_types_that_are_documented(declared: Templar) -> None:
    given = "many='a, b', number='7', switch='yes', text=12, needed=1"
    assert render("{{ lookup('own', " + given + ") }}", None, declared) == {
        "many": ["a", "b"],
        "number": 7,
        "flag": True,
        "text": "12",
    }


def test_options_come_from_variables_environment_and_configuration(
    declared: Templar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = scope_of("own_needed: x\nother: 3")
    for text in ("{{ lookup('own').number }}", "{{ lookup('own', 'late').number }}"):
        monkeypatch.delenv("OWN_NUMBER", raising=False)
        (tmp_path / "ansible.cfg").unlink(missing_ok=True)
        assert render(text, scope, declared) == 5
        (tmp_path / "ansible.cfg").write_text("[own]\nnumber = 6\n")
        assert render(text, scope, declared) == 6
        monkeypatch.setenv("OWN_NUMBER", "7")
        assert render(text, scope, declared) == 7
        assert render(text, scope_of("own_needed: x\nown_number: '{{ 4 * 2 }}'"), declared) == 8
    assert render("{{ lookup('own', number=9).number }}", scope_of("own_needed: x\nown_number: 8"), declared) == 9


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("many=['a', 'z']", "Invalid value 'z' for option 'many'; valid values are: a, b, c"),
        ("number='x'", "Invalid type provided for 'int'"),
        ("flag='perhaps'", "Invalid type provided for 'bool'"),
        ("text=[1]", "Invalid type provided for 'str'"),
    ],
)
def test_wrong_options_are_told(declared: Templar, given: str, said: str) -> None:
    with pytest.raises(TemplateFailed, match=said):
        render("{{ lookup('own', needed=1, " + given + ") }}", None, declared)


def test_a_required_option_is_asked_for(declared: Templar) -> None:
    with pytest.raises(TemplateFailed, match="Required config 'needed' for 'own' lookup plugin not provided"):
        render("{{ lookup('own') }}", scope_of("{}"), declared)


def test_a_lookup_asks_its_loader_for_files_of_the_role(tmp_path: Path) -> None:
    (tmp_path / "role" / "tasks").mkdir(parents=True)
    (tmp_path / "role" / "tasks" / "x.yml").touch()
    text = (
        "from ansible.plugins.lookup import LookupBase\nclass LookupModule(LookupBase):\n    def run(self, terms, variables=None, **_):\n"
        "        return [self._loader.path_dwim_relative(self.get_basedir(variables), 'tasks', term) for term in terms]\n"
    )
    (tmp_path / "src.py").write_text(text)
    templar = Templar(plugins=Plugins(lookup_folders=[str(tmp_path)]))
    found = render("{{ query('src', 'x.yml', '') }}", scope_of(role_path=str(tmp_path / "role")), templar)
    assert found == [f"{tmp_path}/role/tasks/x.yml", f"{tmp_path}/role/tasks/"]


def test_plugins_are_named_as_ansible_names_them(tmp_path: Path) -> None:
    from opsplay.templating.user_plugins import plugins_of

    text = "def who(value):\n    return __name__\n\n\nclass FilterModule:\n    def filters(self):\n        return {'who': who}\n"
    own, theirs = tmp_path / "filter_plugins/mine.py", tmp_path / "ansible_collections/some/where/plugins/filter/theirs.py"
    for path in (own, theirs):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert plugins_of("filter", own)["who"](1).startswith("ansible.plugins.filter.mine_")
    assert plugins_of("filter", theirs)["who"](1) == "ansible_collections.some.where.plugins.filter.theirs"
