"""--list-hosts, --list-tasks, --list-tags, --syntax-check, --start-at-task and --step."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

PLAYBOOK = """
- name: first
  hosts: web
  gather_facts: false
  tags: all_of_it
  roles: [base]
  tasks:
  - name: one
    debug: {msg: 1}
    tags: [a, b]
  - name: hidden
    debug: {msg: 2}
    tags: never
- hosts: localhost
  gather_facts: false
  tasks:
  - name: last
    debug: {msg: LAST}
"""


@pytest.fixture(autouse=True)
def project(write: Callable[[str, str], Path]) -> None:
    write("p.yml", PLAYBOOK)
    write("roles/base/tasks/main.yml", "- name: in role\n  debug: {msg: ROLE}\n")
    write("hosts", "[web]\nw1 ansible_connection=local\nw2 ansible_connection=local\n")


def test_list_hosts_and_tasks(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-playbook", "-i", "hosts", "p.yml", "--list-hosts", "--list-tasks")
    assert ran.code == 0 and ran.err == ""
    assert ran.out == (
        "\nplaybook: p.yml\n"
        "\n  play #1 (web): first\tTAGS: [all_of_it]\n    pattern: ['web']\n    hosts (2):\n      w1\n      w2\n"
        "    tasks:\n      base : in role\tTAGS: [all_of_it]\n      one\tTAGS: [a, all_of_it, b]\n"
        "\n  play #2 (localhost): localhost\tTAGS: []\n    pattern: ['localhost']\n    hosts (1):\n      localhost\n"
        "    tasks:\n      last\tTAGS: []\n"
    )


def test_list_tags_of_what_is_selected(opsplay: Callable[..., Ran]) -> None:
    ran = opsplay("run", "-i", "hosts", "p.yml", "--list-tags", "--tags", "never")
    assert "TASK TAGS: [all_of_it, never]" in ran.out and "[a," not in ran.out


def test_syntax_check_runs_nothing(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-playbook", "-i", "hosts", "p.yml", "--syntax-check")
    assert (ran.code, ran.out) == (0, "\nplaybook: p.yml\n")


def test_start_at_task_by_a_pattern(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-playbook", "-i", "hosts", "p.yml", "--start-at-task", "la*")
    assert ran.code == 0 and "LAST" in ran.out and "ROLE" not in ran.out and "TASK [one]" not in ran.out


def test_start_at_a_task_that_is_not_there(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-playbook", "-i", "hosts", "p.yml", "--start-at-task", "nope")
    assert ran.code == 1 and 'No matching task "nope" found' in ran.err and ran.out == ""


def test_step_asks_before_each_task() -> None:
    controller, terminal = pty.openpty()
    os.write(controller, b"n\ny\nc\n")
    command = [sys.executable, "-m", "opsplay.cli.ansible", "ansible-playbook", "-i", "hosts", "p.yml", "--step"]
    done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout.count("(N)o/(y)es/(c)ontinue") == 3
    assert "ROLE" not in done.stdout and "TASK [one]" in done.stdout and "LAST" in done.stdout


def test_step_without_a_terminal(drop_in: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    ran = drop_in("ansible-playbook", "-i", "hosts", "p.yml", "--step")
    assert ran.code == 1 and "--step asks before each task" in ran.err
