"""One host of several fails, at each phase in turn: the others do not notice, and the exit code says what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsplay.transport.fake import World
from opsplay.transport.protocol import BecomeFailed, ConnectionLost, Unreachable
from tests.engine.playing import Played, play

HOSTS = ["h1", "h2", "h3", "h4"]
PLAY = """
- hosts: all
  gather_facts: true
  become: %(become)s
  handlers: [{name: h, stat: {path: /h}}]
  tasks:
    - {name: c, command: one, notify: h}
    - {name: s, stat: {path: /s}}
    - {name: d, command: two}
- hosts: all
  gather_facts: false
  tasks: [{name: second play, debug: {msg: second}}]
"""
GONE = ConnectionLost("lost", "the connection was lost")


def world(**answers: Any) -> World:
    return World({"setup": {"ansible_facts": {"ansible_x": 1}}, "command": {"changed": True, "rc": 0, "stdout": ""}, "*": {"changed": False}, **answers})


def played(folder: Path, sick: World, become: str = "false") -> Played:
    (folder / "inv").write_text("\n".join(f"{host} ansible_connection=fake" for host in HOSTS) + "\n")
    (folder / "play.yml").write_text(PLAY % {"become": become})
    worlds = {host: world() for host in HOSTS} | {"h3": sick}
    return play(folder, inventory=["inv"], worlds=worlds)


def only_at(path: str, answer: Any) -> Any:
    return lambda step: answer if step.args["path"] == path else {"changed": False}


@pytest.mark.parametrize(
    ("phase", "sick", "code", "counts"),
    [
        ("connecting", lambda: World(unreachable=Unreachable("refused", "no")), 4, "unreachable=1"),
        ("facts fail", lambda: world(setup={"failed": True, "msg": "no"}), 2, "failed=1"),
        ("lost at facts", lambda: world(setup=GONE), 4, "unreachable=1"),
        ("first task fails", lambda: world(command={"failed": True, "rc": 1, "msg": "no"}), 2, "ok=1 failed=1"),
        ("lost at the first task", lambda: world(command=GONE), 4, "ok=1 unreachable=1"),
        ("task fails", lambda: world(stat=only_at("/s", {"failed": True, "msg": "no"})), 2, "ok=2 changed=1 failed=1"),
        ("handler fails", lambda: world(stat=only_at("/h", {"failed": True, "msg": "no"})), 2, "ok=4 changed=2 failed=1"),
        ("lost at the handler", lambda: world(stat=only_at("/h", GONE)), 4, "ok=4 changed=2 unreachable=1"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_one_host_fails(phase: str, sick: Any, code: int, counts: str, tmp_path: Path) -> None:
    done = played(tmp_path, sick())
    found = done.counts()
    assert (done.code, found.pop("h3")) == (code, counts), done.trace()
    assert found == {host: "ok=6 changed=2" for host in HOSTS if host != "h3"}
    assert "h3 second play: ok" not in done.trace()


def test_a_become_that_fails_is_a_failure_of_the_task(tmp_path: Path) -> None:
    done = played(tmp_path, World(unreachable=BecomeFailed("become-password", "wrong password")), become="true")
    assert (done.code, done.counts()["h3"]) == (2, "failed=1")


def test_all_lost_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "inv").write_text("h1 ansible_connection=fake\nh2 ansible_connection=fake\n")
    (tmp_path / "play.yml").write_text(PLAY % {"become": "false"})
    worlds = {host: World(unreachable=Unreachable("refused", "no")) for host in ("h1", "h2")}
    done = play(tmp_path, inventory=["inv"], worlds=worlds)
    assert (done.code, done.counts()) == (4, {"h1": "unreachable=1", "h2": "unreachable=1"})
    assert not [line for line in done.trace() if "second play" in line]


def test_failed_and_unreachable_together_are_unreachable(tmp_path: Path) -> None:
    (tmp_path / "inv").write_text("h1 ansible_connection=fake\nh2 ansible_connection=fake\nh3 ansible_connection=fake\n")
    (tmp_path / "play.yml").write_text(PLAY % {"become": "false"})
    worlds = {"h1": World(unreachable=Unreachable("refused", "no")), "h2": world(command={"failed": True, "msg": "no"}), "h3": world()}
    assert play(tmp_path, inventory=["inv"], worlds=worlds).code == 4
