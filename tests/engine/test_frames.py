"""Frames: what travels together, what never does, and in which order things happen that others can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsplay.events import HostFinished, SentAhead
from opsplay.transport.fake import World
from tests.engine.playing import Played, play, write_inventory

FAKE = "h1 ansible_connection=fake\n"


def fake(folder: Path, tasks: str, world: World, head: str = "") -> Played:
    (folder / "inv").write_text(FAKE)
    (folder / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n{head}  tasks:\n" + "".join(f"    {line}\n" for line in tasks.strip().splitlines()))
    return play(folder, inventory=["inv"], worlds={"h1": world})


def answering(**answers: Any) -> World:
    return World({"*": {"changed": True, "rc": 0, "stdout": "out"}, **answers})


def frames(world: World) -> list[list[str]]:
    """The modules of each frame."""
    found: dict[int, list[str]] = {}
    for record in world.records:
        found.setdefault(record.frame, []).append(record.step.module)
    return list(found.values())


def test_independent_tasks_travel_in_one_frame(tmp_path: Path) -> None:
    world = answering()
    played = fake(tmp_path, "\n".join(f"- stat: {{path: /{n}}}" for n in range(10)), world)
    assert (played.code, frames(world)) == (0, [["stat"] * 10])


def test_commands_of_a_lone_host_travel_too(tmp_path: Path) -> None:
    world = answering()
    assert fake(tmp_path, "- command: one\n- command: two\n- stat: {path: /x}", world).code == 0
    assert frames(world) == [["command", "command", "stat"]]


def test_a_task_behind_a_failed_one_never_runs(tmp_path: Path) -> None:
    world = answering(stat=[{"stat": {}}, {"failed": True, "msg": "no"}])
    played = fake(tmp_path, "- {name: a, stat: {path: /a}}\n- {name: b, stat: {path: /b}}\n- {name: c, stat: {path: /c}}", world)
    assert played.code == 2
    assert [record.step.args["path"] for record in world.records] == ["/a", "/b"]
    assert played.trace() == ["h1 a: ok", "h1 b: failed"]


def test_an_ignored_failure_does_not_stop_the_frame(tmp_path: Path) -> None:
    """may_fail tells the interpreter to go on; the fake stops, and the task runs at its own turn then."""
    world = answering(stat=[{"failed": True, "msg": "no"}, {"stat": {}}, {"stat": {}}])
    played = fake(tmp_path, "- {name: a, stat: {path: /a}, ignore_errors: true}\n- {name: b, stat: {path: /b}}", world)
    assert (played.code, played.trace()) == (0, ["h1 a: ignored", "h1 b: ok"])


def test_a_reader_of_a_result_waits_for_it(tmp_path: Path) -> None:
    world = answering(command=lambda step: {"changed": True, "rc": 0, "stdout": f"<{step.args.get('_raw_params') or step.args.get('cmd')}>"})
    played = fake(tmp_path, '- {command: one, register: r}\n- {command: "two {{ r.stdout }}"}\n- {command: three}', world)
    assert played.code == 0
    sent = [record.step.args.get("_raw_params") or record.step.args.get("cmd") for record in world.records]
    assert sent == ["one", "two <one>", "three"]
    assert frames(world) == [["command"], ["command", "command"]]


@pytest.mark.parametrize("reader", ["when: r.rc == 0", "failed_when: r.rc != 0", "loop: '{{ r.stdout_lines }}'", "environment: {A: '{{ r.stdout }}'}"])
def test_every_way_to_read_a_result_waits(tmp_path: Path, reader: str) -> None:
    world = answering()
    fake(tmp_path, f"- {{command: one, register: r}}\n- command: two\n  {reader}", world)
    assert frames(world)[0] == ["command"] if not reader.startswith("failed_when") else len(frames(world)) <= 2


def test_a_whole_loop_is_one_frame(tmp_path: Path) -> None:
    world = answering()
    played = fake(tmp_path, '- {name: l, stat: {path: "/{{ item }}"}, loop: [a, b, c], when: item != "b"}\n- {name: n, stat: {path: /n}}', world)
    assert frames(world) == [["stat"] * 3]
    assert played.labels() == ["h1 a: changed", "h1 b: skipped", "h1 c: changed"]


def test_skipped_tasks_in_between_cost_nothing(tmp_path: Path) -> None:
    world = answering()
    played = fake(tmp_path, "- {name: a, stat: {path: /a}}\n- {name: b, stat: {path: /b}, when: false}\n- {name: c, stat: {path: /c}}", world)
    assert (frames(world), played.trace()) == ([["stat", "stat"]], ["h1 a: changed", "h1 b: skipped", "h1 c: changed"])


@pytest.mark.parametrize("keyword", ["delegate_to: h1", "throttle: 1", "any_errors_fatal: true", "timeout: 5", "until: true", "run_once: true"])
def test_what_needs_its_turn_goes_alone(tmp_path: Path, keyword: str) -> None:
    world = answering()
    fake(tmp_path, f"- stat: {{path: /a}}\n- stat: {{path: /b}}\n  {keyword}\n- stat: {{path: /c}}", world)
    assert frames(world) == [["stat"]] * 3


def test_sent_ahead_is_told_before_the_results(tmp_path: Path) -> None:
    played = fake(tmp_path, "- {name: a, stat: {path: /a}}\n- {name: b, stat: {path: /b}}", answering())
    kinds = [event for event in played.events if isinstance(event, (SentAhead, HostFinished))]
    assert [type(event).__name__ for event in kinds] == ["SentAhead", "HostFinished", "HostFinished"]
    assert isinstance(kinds[0], SentAhead) and isinstance(kinds[2], HostFinished)
    assert kinds[0].tasks == (kinds[2].task_id,)


def test_handlers_and_blocks_keep_their_order(tmp_path: Path) -> None:
    world = answering()
    tasks = "- {name: a, stat: {path: /a}, changed_when: true, notify: h}\n- meta: flush_handlers\n- {name: b, stat: {path: /b}}"
    played = fake(tmp_path, tasks, world, head="  handlers: [{name: h, stat: {path: /h}}]\n")
    assert played.code == 0
    assert [record.step.args["path"] for record in world.records] == ["/a", "/h", "/b"]


def test_commands_of_several_hosts_stay_in_lock_step(tmp_path: Path) -> None:
    """Every host has ended a command before any begins the next: seen from the outside, in one file."""
    hosts = ["h1", "h2", "h3"]
    inventory = write_inventory(tmp_path, hosts)
    nap = "sleep 0.{{ 3 if inventory_hostname == 'h1' else 0 }}"
    lines = [f"    - shell: {nap}; echo {n} {{{{ inventory_hostname }}}} >> {tmp_path}/log" for n in range(4)]
    (tmp_path / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks:\n" + "\n".join(lines) + "\n")
    assert play(tmp_path, inventory=[inventory]).code == 0
    seen = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert [number for number, _ in seen] == sorted(str(n) for n in range(4) for _ in hosts)
    assert all({host for number, host in seen if number == str(n)} == set(hosts) for n in range(4))


def test_confined_tasks_before_a_command_do_not_break_lock_step(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, ["h1", "h2"])
    (tmp_path / "play.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        f"    - shell: sleep 0.{{{{ 3 if inventory_hostname == 'h1' else 0 }}}}; echo 1 >> {tmp_path}/log\n"
        '    - file: {path: "{{ base }}/x", state: touch}\n'
        f"    - shell: echo 2 >> {tmp_path}/log\n"
    )
    assert play(tmp_path, inventory=[inventory]).code == 0
    assert (tmp_path / "log").read_text().split() == ["1", "1", "2", "2"]
