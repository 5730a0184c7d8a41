"""Template files: options, headers, includes, what they know about themselves, and where their errors are."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from opsplay.settings import Settings
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from tests.templating.rendering import scope_of


def rendered(folder: Path, text: str, scope: DictScope | None = None, **options: Any) -> str:
    path = folder / "page.j2"
    path.write_text(text, newline="")
    return Templar().render_file(str(path), scope or scope_of("x: 1\nl: [1, 2]"), **options)


def test_blocks_are_trimmed_and_line_ends_stay(tmp_path: Path) -> None:
    assert rendered(tmp_path, "a\n{% if x %}\nb\n{% endif %}\nc\n") == "a\nb\nc\n"
    assert rendered(tmp_path, "{% if x %}\nb\n{% endif %}\n", trim_blocks=False) == "\nb\n"
    assert rendered(tmp_path, "  {% if x %}\nb\n  {% endif %}\n", lstrip_blocks=True) == "b\n"
    assert rendered(tmp_path, "{{ x }}\n\n\n") == "1\n\n\n"
    assert rendered(tmp_path, "{{ x }}") == "1"
    assert rendered(tmp_path, "") == ""


def test_the_result_is_always_text(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{{ l }}") == "[1, 2]"
    assert rendered(tmp_path, "{{ none }}") == ""


def test_other_delimiters_and_line_ends(tmp_path: Path) -> None:
    assert rendered(tmp_path, "[[ x ]] {{ x }}", variable_start_string="[[", variable_end_string="]]") == "1 {{ x }}"
    assert rendered(tmp_path, "a\nb\n", newline_sequence="\\r\\n") == "a\r\nb\r\n"
    assert rendered(tmp_path, "#jinja2: lstrip_blocks: True, trim_blocks:False\n  {% if x %}\nb{% endif %}") == "\nb"
    with pytest.raises(TemplateFailed, match="newline_sequence"):
        rendered(tmp_path, "a", newline_sequence="x")
    with pytest.raises(TemplateFailed, match="no option of Jinja"):
        rendered(tmp_path, "#jinja2: nonsense: 1\na")


def test_include_import_and_extends_find_their_files(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "part.j2").write_text("part {{ x }}\n")
    (shared / "base.j2").write_text("<{% block body %}none{% endblock %}>")
    (shared / "macros.j2").write_text("{% macro twice(v) %}{{ v }}{{ v }}{% endmacro %}")
    search = {"searchpath": [str(shared)]}
    assert rendered(tmp_path, "{% include 'part.j2' %}!", **search) == "part 1!"
    assert rendered(tmp_path, "{% for x in l %}{% include 'part.j2' %};{% endfor %}", **search) == "part 1;part 2;"
    assert rendered(tmp_path, "{% extends 'base.j2' %}{% block body %}{{ x }}{% endblock %}", **search) == "<1>"
    assert rendered(tmp_path, "{% from 'macros.j2' import twice %}{{ twice(x) }}", **search) == "11"
    assert rendered(tmp_path, "{% import 'macros.j2' as m with context %}{{ m.twice('a') }}", **search) == "aa"
    with pytest.raises(TemplateFailed, match=r"'none\.j2' was not found"):
        rendered(tmp_path, "{% include 'none.j2' %}", **search)


def test_a_template_knows_itself(tmp_path: Path) -> None:
    text = "{{ template_path }} {{ template_fullpath | basename }} {{ template_destpath }} {{ ansible_managed }}"
    assert rendered(tmp_path, text, destpath="/etc/x") == f"{tmp_path}/page.j2 page.j2 /etc/x Ansible managed"
    assert rendered(tmp_path, "{{ template_run_date.year > 2000 }} {{ template_mtime.year > 2000 }}") == "True True"
    assert rendered(tmp_path, "{{ ansible_managed }}", scope_of("ansible_managed: ours")) == "ours"
    assert rendered(tmp_path, "{{ template_uid }}{{ template_host }}") != ""


def test_ansible_managed_is_a_date_format_and_a_template(tmp_path: Path) -> None:
    text = "By {uid} %Y {nope}: {{{{ x + 1 }}}} {{{{ '{file}' }}}} {file}"
    path = tmp_path / "a {{ 7 }} %Y.j2"
    path.write_text("{{ ansible_managed }} {{ template_uid }}")
    managed = Templar(Settings(ansible_managed=text)).render_file(str(path), scope_of("x: 1"))
    user = managed.rpartition(" ")[2]
    year = datetime.datetime.fromtimestamp(path.stat().st_mtime).year
    assert managed == f"By {user} {year} {{nope}}: 2 {{{{ template_path }}}} {path} {user}"


def test_an_error_has_the_line_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(Undefined, match="'missing' is undefined") as caught:
        rendered(tmp_path, "a\nb\n{{ missing }}\n")
    assert caught.value.where is not None and (caught.value.where.path, caught.value.where.line) == (
        f"{tmp_path}/page.j2",
        3,
    )
    with pytest.raises(TemplateFailed, match="Syntax error") as failed:
        rendered(tmp_path, "a\n{% if %}\n")
    assert failed.value.where is not None and failed.value.where.line == 2
    with pytest.raises(TemplateFailed, match="division") as failed:
        rendered(tmp_path, "a\n\n{{ 1 / 0 }}\n")
    assert failed.value.where is not None and failed.value.where.line == 3


def test_an_error_in_an_included_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "part.j2").write_text("\n{{ missing }}")
    with pytest.raises(Undefined) as caught:
        rendered(tmp_path, "{% include 'part.j2' %}")
    assert caught.value.where is not None
    assert (caught.value.where.path, caught.value.where.line) == (str(tmp_path / "part.j2"), 2)


def test_backslashes_are_jinjas_in_files_and_kept_in_playbooks(tmp_path: Path) -> None:
    assert rendered(tmp_path, r"{{ 'aa' | regex_replace('(a)', '<\\1>') }}{{ 'a\tb' }}") == "<a><a>a\tb"


def test_bytes_that_are_no_utf8_pass_through(tmp_path: Path) -> None:
    path = tmp_path / "raw.j2"
    path.write_bytes(b"\xe9 {{ x }}\n")
    assert Templar().render_file(str(path), scope_of("x: 1")).encode("utf-8", "surrogateescape") == b"\xe9 1\n"


def test_text_may_be_rendered_without_a_file() -> None:
    assert Templar().render_text("{% if x %}\n{{ x }}\n{% endif %}\n", scope_of("x: 1")) == "1\n"
