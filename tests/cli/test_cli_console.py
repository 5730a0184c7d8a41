"""ansible-console: what is typed runs on the hosts of a pattern."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran


@pytest.fixture
def console(
    drop_in: Callable[..., Ran], write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    write("hosts", "[web]\nw1 ansible_connection=local\n[db]\nd1 ansible_connection=local\n")

    def run(typed: str, *arguments: str) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return drop_in("ansible-console", "-i", "hosts", *arguments)

    return run


def test_a_module_and_its_arguments(console: Callable[..., Ran]) -> None:
    ran = console("debug msg='hi {{ inventory_hostname }}'\n", "web")
    assert ran.code == 0, ran.err
    assert '"msg": "hi w1"' in ran.out and "d1" not in ran.out


def test_what_is_no_module_is_for_the_shell(console: Callable[..., Ran]) -> None:
    ran = console("echo one && echo two\n!echo three\nshell echo four\n# a remark\n\n", "web")
    assert [word for word in ("one", "two", "three", "four") if f"\n{word}\n" in ran.out] == [
        "one",
        "two",
        "three",
        "four",
    ]


def test_cd_and_list(console: Callable[..., Ran]) -> None:
    ran = console("list\ncd db\nlist\nlist groups\nping\n")
    assert "w1\nd1\n" in ran.out.replace("$ ", "\n").replace("# ", "\n")
    assert "d1 | SUCCESS" in ran.out and "w1 | SUCCESS" not in ran.out
    assert "@db (1)" in ran.out


def test_flags_may_be_changed(console: Callable[..., Ran], tmp_path: Path) -> None:
    ran = console(f"check yes\nfile path={tmp_path}/made state=directory\ncheck no\ncheck\nforks 3\nforks\n", "web")
    assert "w1 | CHANGED" in ran.out and not (tmp_path / "made").exists()
    assert "check is not set" in ran.out and "forks is 3" in ran.out


def test_mistakes_do_not_end_it(console: Callable[..., Ran]) -> None:
    ran = console("cd nobody\nforks many\ncopy dest=/nowhere\nexit\nping\n", "web")
    assert ran.code == 0
    assert "no host matched" in ran.err and "@nobody" not in ran.out
    assert "w1 | SUCCESS" not in ran.out, "exit ends it"


def test_a_pattern_may_be_a_template(console: Callable[..., Ran]) -> None:
    assert "w1 | SUCCESS" in console("ping\n", "{{ 'web' }}").out
