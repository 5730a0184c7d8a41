"""log_path of ansible.cfg: the run's output, line by line, in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Ran

PLAY = "- hosts: w1\n  gather_facts: false\n  tasks:\n    - {name: said, debug: {msg: hello}}\n    - {name: wrong, fail: {msg: no way}}\n"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} p=\d+ u=\S+ n=ansible (INFO|WARNING|ERROR)\| (.*)")


def logged(path: Path) -> list[tuple[str, str]]:
    found = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    assert all(found)
    return [(line[1], line[2]) for line in found if line]


def test_of_the_drop_in_and_our_own_command(
    drop_in: Callable[..., Ran], opsplay: Callable[..., Ran], write: Callable[[str, str], Path], tmp_path: Path
) -> None:
    write("play.yml", PLAY)
    write("ansible.cfg", "[defaults]\nlog_path = ./run.log\n")
    drop_in("ansible-playbook", "-i", "w1,", "-c", "local", "play.yml")
    opsplay("run", "-i", "w1,", "-c", "local", "play.yml")
    lines = logged(tmp_path / "run.log")
    assert sum(text.startswith("TASK [said] ***") for _, text in lines) == 2
    assert sum(level == "ERROR" and text.startswith("fatal: [w1]: FAILED!") for level, text in lines) == 2


def test_a_log_that_cannot_be_written_stops_nothing(drop_in: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("ansible.cfg", "[defaults]\nlog_path = ./missing/run.log\n")
    ran = drop_in("ansible", "w1", "-i", "w1,", "-c", "local", "-m", "ping")
    assert ran.code == 0 and "[WARNING]: log file at" in ran.err and "is not writeable" in ran.err
