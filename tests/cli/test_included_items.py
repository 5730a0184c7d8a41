"""ansible-playbook's `included:` lines name the item that a file was included for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Ran

PLAY = """
- hosts: w1
  gather_facts: false
  tasks:
    - {include_tasks: some.yml, loop: [{n: 1}, {n: 2}], loop_control: {label: "n={{ item.n }}"}}
    - {include_tasks: some.yml, loop: [x], no_log: true}
    - {include_tasks: some.yml}
"""


def test_items_of_includes(drop_in: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("play.yml", PLAY)
    write("some.yml", "- command: 'true'\n")
    ran = drop_in("ansible-playbook", "-i", "w1,", "-c", "local", "play.yml")
    told = [line.partition("some.yml for ")[2] for line in ran.out.splitlines() if line.startswith("included: ")]
    assert told == ["w1 => (item=n=1)", "w1 => (item=n=2)", "w1 => (item=(censored due to no_log))", "w1"]
