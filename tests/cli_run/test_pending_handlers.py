"""Handlers notified before a failure: kept for the host and playbook, listed, run when asked, then forgotten."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli_run.command import LOCAL, OPSPLAY, environment, opsplay, write

PLAY = """\
- name: web
  hosts: all
  gather_facts: false
  vars: {fails: false, waits: false}
  handlers:
    - {name: restart, shell: "echo restart >> {{ playbook_dir }}/{{ inventory_hostname }}.log", listen: configured}
    - {name: reload, shell: "echo reload >> {{ playbook_dir }}/{{ inventory_hostname }}.log"}
  tasks:
    - {name: configure, copy: {content: x, dest: "{{ playbook_dir }}/{{ inventory_hostname }}.conf"}, notify: [reload, configured]}
    - {name: wait, shell: "touch {{ playbook_dir }}/waiting; sleep 30", when: waits | bool}
    - {name: fails, fail: {msg: no}, when: fails | bool and inventory_hostname == 'h1'}
  post_tasks:
    - {name: after, shell: "echo after >> {{ playbook_dir }}/{{ inventory_hostname }}.log"}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write(tmp_path, site_yml=PLAY, inv=LOCAL)


def run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return opsplay(place, "run", "-i", "inv", "site.yml", *words)


def pending(place: Path) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = json.loads(opsplay(place, "history", "handlers", "--json").stdout)
    return sorted((event["host"], event["handler"]) for event in found)


def log(place: Path, host: str) -> list[str]:
    path = place / f"{host}.log"
    return path.read_text().split() if path.exists() else []


def test_kept_listed_run_forgotten(place: Path) -> None:
    first = run(place, "-e", "fails=true")
    assert first.returncode == 2 and "Handlers not run" in first.stdout
    assert pending(place) == [("h1", "configured"), ("h1", "reload")]
    assert log(place, "h2") == ["restart", "reload", "after"]

    listed = run(place, "-o", "s.json")
    assert listed.returncode == 0 and "  reload: h1 (run " in listed.stderr and "--run-pending-handlers" in listed.stderr
    assert [entry["handler"] for entry in json.loads((place / "s.json").read_text())["pending_handlers"]] == ["reload", "configured"]
    assert log(place, "h1") == ["after"]
    assert "reload: h1" in run(place, "--list-tasks").stdout
    assert "reload" not in run(place, "-l", "h2").stderr

    assert "reload" in run(place, "-C", "--run-pending-handlers").stderr
    assert len(pending(place)) == 2, "a check run changes nothing"

    ran = run(place, "--run-pending-handlers")
    assert ran.returncode == 0 and "Handlers not run" not in ran.stdout
    assert log(place, "h1") == ["after", "restart", "reload", "after"], "at the handler time behind the tasks"
    assert pending(place) == []
    run(place, "--run-pending-handlers")
    assert log(place, "h1").count("reload") == 1


def test_a_killed_controller_leaves_the_truth(place: Path) -> None:
    command = [OPSPLAY, "run", "-i", "inv", "-e", "waits=true", "site.yml"]
    with subprocess.Popen(command, cwd=place, env=environment(place), stdout=subprocess.DEVNULL) as going:
        deadline = time.monotonic() + 30
        while not (place / "waiting").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        going.send_signal(signal.SIGKILL)
    assert len(pending(place)) == 4
    assert run(place, "--run-pending-handlers").returncode == 0
    assert log(place, "h1")[:2] == log(place, "h2")[:2] == ["restart", "reload"]
    assert pending(place) == []


def test_notified_again_and_run_is_done(place: Path) -> None:
    run(place, "-e", "fails=true")
    (place / "h1.conf").unlink()
    assert run(place).returncode == 0
    assert pending(place) == []


def test_the_setting_and_forgetting(place: Path) -> None:
    run(place, "-e", "fails=true")
    (place / "ansible.cfg").write_text("[opsplay]\nrun_pending_handlers = true\n")
    assert "They run after the tasks" in run(place, "-e", "fails=true").stderr
    assert log(place, "h1") == [], "h1 failed again before handler time"
    shown = opsplay(place, "history", "handlers", "--host", "h1", "--playbook", "site.yml", "--forget")
    assert "reload: h1" in shown.stdout
    assert opsplay(place, "history", "handlers").stdout == "no handler is pending\n"
    assert run(place).returncode == 0
    assert log(place, "h1") == ["after"]
