"""opsplay explain and opsplay lint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran


@pytest.fixture(autouse=True)
def project(write: Callable[[str, str], Path]) -> None:
    write("hosts", "[db]\ndb1 port=22\n")
    write("group_vars/all.yml", "port: 1\n")
    write("group_vars/db.yml", "port: 2\n")
    write("host_vars/db1.yml", "port: 3\n")
    write("roles/pg/defaults/main.yml", "port: 0\n")
    write("roles/pg/tasks/main.yml", "- set_fact: {port: 7}\n- debug: {var: port}\n  vars: {port: 8}\n")
    write("site.yml", '- name: site\n  hosts: db\n  vars: {port: "{{ base + 4 }}", base: 1}\n  roles: [pg]\n')


def origins(opsplay: Callable[..., Ran], *arguments: str) -> tuple[list[tuple[object, str]], object]:
    data = json.loads(opsplay("explain", *arguments, "-i", "hosts", "--json").out)[0]
    return [(item["value"], item["holds"]) for item in data["origins"]], data["value"]


def test_inventory_in_order(opsplay: Callable[..., Ran]) -> None:
    found, value = origins(opsplay, "db1", "port")
    assert [item for item, _ in found] == ["1", "2", "22", "3"] and value == 3


def test_a_play_adds_its_places(opsplay: Callable[..., Ran]) -> None:
    found, value = origins(opsplay, "db1", "port", "site.yml")
    assert [item for item, holds in found if holds == "always"] == ["0", "1", "2", "22", "3", "{{ base + 4 }}"] and value == 5
    assert ("7", "run") in found and ("8", "tasks") in found


def test_extra_variables_win(opsplay: Callable[..., Ran]) -> None:
    ran = opsplay("explain", "db1", "port", "site.yml", "-i", "hosts", "-e", "port=9")
    assert ran.code == 0 and "extra vars (-e) wins: '9'" in ran.out and "site.yml:3:" in ran.out


def test_what_nothing_sets(opsplay: Callable[..., Ran]) -> None:
    ran = opsplay("explain", "db1", "prot", "-i", "hosts")
    assert ran.code == 1 and "nothing sets it" in ran.out and 'Did you mean "port"?' in ran.err


def test_magic_and_unknown_hosts(opsplay: Callable[..., Ran]) -> None:
    assert "value: 'db1'" in opsplay("explain", "db1", "inventory_hostname", "-i", "hosts").out
    ran = opsplay("explain", "db2", "port", "-i", "hosts")
    assert ran.code == 1 and 'Did you mean "db1"?' in ran.err


BAD = """
- hosts: db
  vars: {a: "{{ nowher }}"}
  tasks:
  - debg: {msg: x}
  - copy: {dst: /x, content: "{{ prot }}"}
    when: "{{ x is defined }}"
  - file: {path: /x, mode: 644}
    when: zzz is defined and zzz
  - debug: {msg: "{{ (out.stdout | basenam) ~ yy | default(1) }}"}
  - command: foo
    register: out
    whn: x
"""


def test_lint_says_everything_at_once(opsplay: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("bad.yml", BAD)
    ran = opsplay("lint", "bad.yml", "-i", "hosts", "--json")
    found = {(item["code"], item["line"]) for item in map(json.loads, ran.out.splitlines())}
    assert ran.code == 1 and found == {
        ("unknown-module", 5), ("unknown-argument", 6), ("missing-argument", 6), ("unknown-keyword", 13), ("unknown-filter", 10),
        ("undefined-variable", 3), ("undefined-variable", 6), ("deprecated-form", 7), ("mode-without-zero", 8),
    }  # fmt: skip


def test_lint_finds_nothing_in_good_content(opsplay: Callable[..., Ran]) -> None:
    ran = opsplay("lint", ".", "-i", "hosts")
    assert (ran.code, ran.out) == (0, "2 files checked: nothing found\n")


def test_old_forms_are_warnings(opsplay: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("old.yml", '- hosts: db\n  tasks:\n  - debug: {msg: "{{ port }}"}\n    when: "{{ port == 3 }}"\n')
    assert opsplay("lint", "old.yml", "-i", "hosts").code == 0
    ran = opsplay("lint", "old.yml", "-i", "hosts", "--strict")
    assert ran.code == 1 and "warning: deprecated-form" in ran.out and "Write: port == 3" in ran.out
