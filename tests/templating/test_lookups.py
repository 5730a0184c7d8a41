"""Lookups with real files, commands and a real HTTP server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsplay.templating.failures import LookupFailed, TemplateFailed
from opsplay.templating.templar import Templar
from tests.templating.rendering import render, scope_of


class Context:
    """A playbook's folder, and an inventory of two hosts."""

    def __init__(self, basedir: Path) -> None:
        self.basedir = str(basedir)

    def inventory_hostnames(self, pattern: str) -> list[str]:
        return [host for host in ("web1", "db1") if pattern in ("all", host)]


@pytest.fixture
def templar(tmp_path: Path) -> Templar:
    for folder in ("files", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "files" / "motd").write_text("hello {{ x }}\n\n")
    (tmp_path / "files" / "people.csv").write_text("Symbol,Number\nH,1\nHe,2\n")
    (tmp_path / "files" / "users.ini").write_text(
        "[global]\nname = root\n[web]\nname=www\nport=80\nshell_a=1\nshell_b=2\n"
    )
    (tmp_path / "files" / "app.properties").write_text("user.name=robert\nuser.pass=x y\n")
    (tmp_path / "templates" / "data.j2").write_text("{% macro m() %}{{ {'x': x} }}{% endmacro %}\n{{ m() }}\n")
    (tmp_path / "templates" / "json.j2").write_text('{"x": {{ x }}}\n')
    (tmp_path / "templates" / "a.j2").write_text("x is {{ x }}, mine is {{ mine | default('none') }}\n")
    return Templar(lookup_context=Context(tmp_path))


CASES: list[tuple[str, Any]] = [
    ("lookup('file', 'motd')", "hello {{ x }}"),
    ("lookup('file', 'motd', rstrip=false)", "hello {{ x }}\n\n"),
    ("lookup('file', 'none', errors='ignore')", None),
    ("query('file', 'none', errors='ignore')", []),
    ("lookup('fileglob', '*.csv') | basename", "people.csv"),
    ("lookup('first_found', ['none', 'motd']) | basename", "motd"),
    ("lookup('first_found', [missing, 'motd']) | basename", "motd"),
    ("query('first_found', ['none'], skip=true)", []),
    ("lookup('csvfile', 'He', file='people.csv', delimiter=',')", "2"),
    ("lookup('csvfile', 'He file=people.csv delimiter=, col=0')", "He"),
    ("lookup('csvfile', 'Li file=people.csv delimiter=, default=none')", "none"),
    ("lookup('ini', 'name', file='users.ini', section='web')", "www"),
    ("lookup('ini', 'name file=users.ini')", "root"),
    ("lookup('ini', 'none', file='users.ini', section='web', default='d')", "d"),
    ("query('ini', 'shell.*', file='users.ini', section='web', re=true)", ["1", "2"]),
    ("lookup('ini', 'user.pass', file='app.properties', type='properties')", "x y"),
    ("lookup('template', 'a.j2')", "x is 7, mine is none\n"),
    ("lookup('template', 'data.j2')", {"x": 7}),
    ("lookup('template', 'json.j2')", '{"x": 7}\n'),
    ("lookup('template', 'json.j2', convert_data=true)", {"x": 7}),
    ("lookup('template', 'a.j2', template_vars={'mine': 1})", "x is 7, mine is 1\n"),
    ("lookup('unvault', 'motd')", "hello {{ x }}\n\n"),
    ("lookup('pipe', 'echo a; echo b')", "a\nb"),
    ("query('lines', 'echo a; echo b')", ["a", "b"]),
    ("query('inventory_hostnames', 'all')", ["web1", "db1"]),
    ("query('varnames', '^web_') | sort", ["web_a", "web_b"]),
    ("lookup('vars', 'web_a', 'web_b')", [7, 8]),
    ("lookup('vars', 'none', default='d')", "d"),
    ("lookup('env', 'OPSPLAY_TEST_NONE', default='d')", "d"),
    ("query('sequence', 'start=0 end=4 stride=2 format=n%02d')", ["n00", "n02", "n04"]),
    ("query('sequence', '1-3')", ["1", "2", "3"]),
    ("query('sequence', count=3, start=5)", ["5", "6", "7"]),
    ("query('nested', [1, 2], ['a', 'b'])", [[1, "a"], [1, "b"], [2, "a"], [2, "b"]]),
    ("query('together', [1, 2], ['a'])", [[1, "a"], [2, None]]),
    ("query('community.general.flattened', [1, [2, [3]]])", [1, 2, 3]),
    ("query('community.general.cartesian', [1], [2, 3])", [[1, 2], [1, 3]]),
    ("lookup('community.general.merge_variables', '^dict_')", {"a": 1, "b": 2}),
    ("lookup('community.general.random_string', length=12) | length", 12),
    ("lookup('ansible.utils.get_path', nested, 'a.b[0].c')", 5),
    ("lookup('file', '{{ folder }}motd')", "hello {{ x }}"),
    ("lookup('config', 'DEFAULT_ROLES_PATH', on_missing='skip')", []),
    ("lookup('indexed_items', ['a'])", [0, "a"]),
    ("lookup('dict', {'k': 1}).value", 1),
]


@pytest.mark.parametrize(("expression", "gives"), CASES, ids=[case[0] for case in CASES])
def test_a_lookup(templar: Templar, expression: str, gives: Any) -> None:
    scope = scope_of(
        "x: 7\nweb_a: '{{ x }}'\nweb_b: 8\nfolder: ''\nnested: {a: {b: [{c: 5}]}}\ndict_1: {a: 1}\ndict_2: {b: 2}"
    )
    assert render("{{ " + expression + " }}", scope, templar) == gives


def test_lookups_for_loops_take_compiled_terms(templar: Templar) -> None:
    from opsplay.templating.values import compile_plain

    scope = scope_of("x: 7")
    assert templar.lookup("first_found", compile_plain(["{{ missing }}x", "motd"]), scope)[0].endswith("files/motd")
    assert templar.lookup("items", compile_plain(["{{ x }}", [1]]), scope) == [7, 1]
    assert templar.lookup("dict", compile_plain({"a": "{{ x }}"}), scope) == [{"key": "a", "value": 7}]
    assert templar.lookup("sequence", "end=2", scope) == ["1", "2"]


def test_files_are_found_in_the_role_before_the_playbook(templar: Templar, tmp_path: Path) -> None:
    role = tmp_path / "role"
    (role / "files").mkdir(parents=True)
    (role / "files" / "motd").write_text("the role's")
    scope = scope_of("", ansible_search_path=[str(role), str(tmp_path)])
    assert render("{{ lookup('file', 'motd') }}", scope, templar) == "the role's"
    assert render("{{ lookup('first_found', 'motd') }}", scope, templar) == f"{role}/files/motd"
    assert render("{{ lookup('file', 'people.csv') | length }}", scope, templar) == 22


def test_a_password_is_made_once_and_kept_private(templar: Templar, tmp_path: Path) -> None:
    text = "{{ lookup('password', 'credentials/db length=15 chars=ascii_letters') }}"
    first = render(text, None, templar)
    assert len(first) == 15 and first.isalpha()
    assert render(text, None, templar) == first
    assert (tmp_path / "credentials" / "db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "credentials").stat().st_mode & 0o777 == 0o700
    hashed = render("{{ lookup('password', 'credentials/db encrypt=sha256_crypt') }}", None, templar)
    assert hashed.startswith("$5$rounds=535000$")
    assert render("{{ lookup('password', 'credentials/db encrypt=sha256_crypt') }}", None, templar) == hashed
    assert render(
        "{{ lookup('password', '/dev/null seed=a') == lookup('password', '/dev/null seed=a') }}", None, templar
    )


def test_a_lookup_that_fails_says_which(templar: Templar) -> None:
    with pytest.raises(LookupFailed, match="The lookup plugin 'file' failed: Unable to access the file 'none'"):
        render("{{ lookup('file', 'none') }}", None, templar)
    with pytest.raises(LookupFailed, match=r"lookup_plugin.pipe\(false\) returned 1"):
        render("{{ lookup('pipe', 'false') }}", None, templar)
    with pytest.raises(TemplateFailed, match="The lookup plugin 'nothing' was not found"):
        render("{{ lookup('nothing') }}", None, templar)
    with pytest.raises(LookupFailed, match="No file was found when using first_found"):
        render("{{ lookup('first_found', ['none']) }}", None, templar)


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/ok"
        body = f"one {{{{ x }}}}\n{self.headers.get('X-Asked', '')} {self.headers.get('Authorization', '')}".encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    served = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_a_url_is_fetched(server: str) -> None:
    options = "use_proxy=false, headers={'X-Asked': 'yes'}, username='u', password='p'"
    found = render(f"{{{{ query('url', '{server}/ok', {options}) }}}}")
    assert found == ["one {{ x }}", "yes Basic dTpw"]
    with pytest.raises(LookupFailed, match="Received HTTP error"):
        render(f"{{{{ lookup('url', '{server}/none', use_proxy=false) }}}}")


def test_settings_can_be_looked_up() -> None:
    templar = Templar(SimpleNamespace(roles_path=("a", "b"), host_key_checking=True))
    assert render("{{ lookup('config', 'DEFAULT_ROLES_PATH') }}", None, templar) == ["a", "b"]
    assert render("{{ lookup('config', 'HOST_KEY_CHECKING') }}", None, templar) is True
    with pytest.raises(LookupFailed, match="Unable to find setting NO_SUCH"):
        render("{{ lookup('config', 'NO_SUCH') }}", None, templar)


def test_a_filetree_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert render("{{ query('filetree', folder) }}", scope_of(folder=str(tmp_path / "none"))) == []
