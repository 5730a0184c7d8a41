"""One module on hosts: the drop-in for ansible, and opsplay exec."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran


@pytest.fixture(autouse=True)
def inventory(write: Callable[[str, str], Path]) -> None:
    write("hosts", "[web]\nw1 ansible_connection=local\nw2 ansible_connection=local\n")


def test_a_module_answers_in_json(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-m", "ping")
    assert (ran.code, ran.out) == (0, 'w1 | SUCCESS => {\n    "changed": false,\n    "ping": "pong"\n}\n')


def test_commands_answer_in_text(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-a", "echo hi")
    assert (ran.code, ran.out) == (0, "w1 | CHANGED | rc=0 >>\nhi\n")


def test_a_failed_command(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-m", "shell", "-a", "echo out; echo err >&2; exit 3")
    assert (ran.code, ran.out) == (2, "w1 | FAILED | rc=3 >>\nout\nerr\nnon-zero return code\n")


def test_one_line(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-o", "-m", "shell", "-a", "echo a; echo b; echo c >&2")
    assert ran.out == "w1 | CHANGED | rc=0 | (stdout) a\\nb (stderr) c\n"


def test_a_failed_module(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-m", "fail", "-a", '{"msg": "no way"}')
    assert ran.code == 2 and ran.out.startswith("w1 | FAILED! => {") and '"msg": "no way"' in ran.out


def test_a_host_that_is_away(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "all", "-i", "nobody.invalid,", "-m", "ping", "-T", "3")
    assert ran.code == 4 and ran.out.startswith("nobody.invalid | UNREACHABLE! => {")


def test_tree_writes_a_file_for_each_host(drop_in: Callable[..., Ran], tmp_path: Path) -> None:
    drop_in("ansible", "web", "-i", "hosts", "-m", "ping", "-t", "tree")
    assert json.loads((tmp_path / "tree/w2").read_text())["ping"] == "pong" and (tmp_path / "tree/w1").exists()


def test_tasks_of_a_file(drop_in: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "some.yml").write_text("- debug: msg=hi\n- command: echo there\n")
    ran = drop_in("ansible", "w1", "-i", "hosts", "-m", "import_tasks", "-a", "some.yml")
    assert (ran.code, ran.out) == (0, 'w1 | SUCCESS => {\n    "msg": "hi"\n}\nw1 | CHANGED | rc=0 >>\nthere\n')


def test_check_mode_changes_nothing(drop_in: Callable[..., Ran], tmp_path: Path) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-C", "-m", "copy", "-a", f"content=x dest={tmp_path}/made")
    assert ran.code == 0 and "w1 | CHANGED => {" in ran.out and not (tmp_path / "made").exists()


def test_background(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible", "w1", "-i", "hosts", "-B", "20", "-P", "1", "-a", "echo slow")
    assert ran.code == 0 and ran.out == "w1 | CHANGED | rc=0 >>\nslow\n"


def test_list_hosts(drop_in: Callable[..., Ran]) -> None:
    assert drop_in("ansible", "web", "-i", "hosts", "--list-hosts").out == "  hosts (2):\n    w1\n    w2\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere", "-m", "ping"), 0, "No hosts matched, nothing to do"),
        (("all", "-l", "nowhere", "-m", "ping"), 1, "Specified hosts and/or --limit does not match any hosts"),
        (("w1", "-m", "shell"), 5, "No argument passed to shell module"),
        (("w1", "-m", "import_playbook", "-a", "x.yml"), 5, "'import_playbook' is not a valid action for ad-hoc commands"),
        (("w1", "-m", "pign"), 4, 'Did you mean "ping"?'),
    ],
)
def test_wrong_usage(drop_in: Callable[..., Ran], arguments: tuple[str, ...], code: int, message: str) -> None:
    ran = drop_in("ansible", *arguments, "-i", "hosts")
    assert ran.code == code and message in ran.err


def test_exec_is_recorded(opsplay: Callable[..., Ran]) -> None:
    ran = opsplay("exec", "web", "-i", "hosts", "-m", "ping", "-o", "report.json")
    assert ran.code == 0 and ran.out.count("SUCCESS") == 2
    assert "exec ping" in opsplay("history", "list").out
    assert {"w1", "w2"} <= set(str(json.loads(Path("report.json").read_text())).replace("'", " ").split())


def test_exec_checks_arguments_first(opsplay: Callable[..., Ran]) -> None:
    ran = opsplay("exec", "web", "-i", "hosts", "-m", "ping", "-a", "dta=1")
    assert ran.code == 1 and 'ping has no argument "dta"' in ran.err and ran.out == ""


def test_the_pattern_and_the_module_may_be_templates(drop_in: Callable[..., Ran]) -> None:
    extra = '{"who": "w1", "said": {"__ansible_unsafe": "{{ x }}"}}'
    ran = drop_in("ansible", "{{ who }}", "-i", "hosts", "-m", "{{ 'debug' }}", "-a", "var=said", "-e", extra)
    assert ran.code == 0
    assert ran.out.startswith("w1 | SUCCESS") and '"said": "{{ x }}"' in ran.out


def test_flush_cache_forgets_facts_on_disk(drop_in: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN", "jsonfile")
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN_CONNECTION", "facts")
    drop_in("ansible", "web", "-i", "hosts", "-m", "setup", "-a", "gather_subset=!all")
    show = ("ansible", "web", "-i", "hosts", "-m", "debug", "-a", "msg={{ ansible_facts.system | default('none') }}")
    assert drop_in(*show).out.count("Linux") == 2
    assert drop_in(*show, "--flush-cache", "-l", "w1").out.count("none") == 1
    assert drop_in(*show).out.count("none") == 1
