"""Ansible's documented order of precedence: each level wins over all below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.transport.fake import World
from tests.engine.playing import play

# Level 1, values of the command line such as -u, are no variables: every level below wins over them.
LEVELS = [
    "role defaults", "inventory file group vars", "inventory group_vars all", "playbook group_vars all", "inventory group_vars group",
    "playbook group_vars group", "inventory file host vars", "inventory host_vars", "playbook host_vars", "host facts", "play vars",
    "vars_prompt", "vars_files", "role vars", "block vars", "task vars", "include_vars", "set_fact", "role params", "include params", "extra vars",
]  # fmt: skip


def tree(folder: Path, levels: list[str]) -> None:
    """A playbook in which exactly these levels set `v`, each to its own name."""

    def value(level: str, line: str) -> str:
        return line.replace("@", level) if level in levels else ""

    files = {
        "inv/hosts": "[g]\nh1 ansible_connection=fake " + value("inventory file host vars", 'v="@"') + "\n[g:vars]\nx=1\n" + value("inventory file group vars", 'v="@"\n'),
        "inv/group_vars/all.yml": value("inventory group_vars all", "v: @"),
        "group_vars/all.yml": value("playbook group_vars all", "v: @"),
        "inv/group_vars/g.yml": value("inventory group_vars group", "v: @"),
        "group_vars/g.yml": value("playbook group_vars group", "v: @"),
        "inv/host_vars/h1.yml": value("inventory host_vars", "v: @"),
        "host_vars/h1.yml": value("playbook host_vars", "v: @"),
        "files.yml": value("vars_files", "v: @"),
        "iv.yml": value("include_vars", "v: @"),
        "roles/r/defaults/main.yml": value("role defaults", "v: @"),
        "roles/r/vars/main.yml": value("role vars", "v: @"),
        "roles/r/tasks/main.yml": value("host facts", "- setup:\n") + "- include_vars: '{{ playbook_dir }}/iv.yml'\n" + value("set_fact", "- set_fact: {v: @}\n")
        + "- include_tasks: show.yml\n" + value("include params", "  vars: {v: @}\n"),
        "roles/r/tasks/show.yml": "- block:\n    - debug: {msg: '{{ v }}'}\n" + value("task vars", "      vars: {v: @}\n") + value("block vars", "  vars: {v: @}\n"),
        "play.yml": "- hosts: all\n  gather_facts: false\n  vars_files: [files.yml]\n" + value("play vars", "  vars: {v: @}\n")
        + value("vars_prompt", "  vars_prompt: [{name: v, prompt: v}]\n") + "  roles:\n    - role: r\n" + value("role params", "      v: @\n"),
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def said(folder: Path, levels: list[str]) -> list[str]:
    tree(folder, levels)
    world = World({"setup": {"ansible_facts": {"v": "host facts"}}})
    extra = ["v='extra vars'"] if "extra vars" in levels else []
    played = play(folder, inventory=["inv/hosts"], worlds={"h1": world}, extra=extra, ask=lambda *question: "vars_prompt")
    assert played.code == 0, played.error
    return played.said()


@pytest.mark.parametrize("number", range(len(LEVELS)), ids=LEVELS)
def test_each_level_wins_over_all_below(number: int, tmp_path: Path) -> None:
    assert said(tmp_path, LEVELS[: number + 1])[-1] == f"h1: {LEVELS[number]}"


@pytest.mark.parametrize("number", range(1, len(LEVELS)), ids=LEVELS[1:])
def test_each_level_wins_over_the_one_below_alone(number: int, tmp_path: Path) -> None:
    assert said(tmp_path, LEVELS[number - 1 : number + 1])[-1] == f"h1: {LEVELS[number]}"


def test_passwords_of_the_command_line_are_variables_that_everything_overrides(tmp_path: Path) -> None:
    text = "- hosts: h1\n  gather_facts: false\n  tasks:\n    - debug: {msg: '{{ ansible_password }} {{ ansible_ssh_pass }} {{ ansible_become_pass }}'}\n"
    (tmp_path / "play.yml").write_text(text)
    (tmp_path / "hosts").write_text("h1 ansible_connection=fake\n")
    worlds = {"h1": World()}
    played = play(tmp_path, inventory=["hosts"], worlds=worlds, connection_password="login", become_password="other")
    assert played.said() == ["h1: login login other"]
    (tmp_path / "hosts").write_text("h1 ansible_connection=fake ansible_ssh_pass=own\n")
    played = play(tmp_path, inventory=["hosts"], worlds=worlds, connection_password="login", become_password="other")
    assert played.said() == ["h1: own own other"]
