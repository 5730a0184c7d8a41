"""Interrupted at any time, in any way: the run ends soon with 130, nothing of it goes on, and what was done is on record."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli_run.command import OPSPLAY, environment
from tests.transport.private_sshd import PrivateSshd

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - {name: several, command: sleep 0.0%(mark)s, loop: [1, 2, 3, 4]}
    - {name: short, command: sleep 0.2%(mark)s}
    - name: children
      shell: "(setsid sleep 300.%(mark)s & sleep 301.%(mark)s) ; sleep 302.%(mark)s"
    - {name: never, debug: {msg: the end}}
"""
WAYS = {
    "ctrl-c": (signal.SIGINT,),
    "ctrl-c twice": (signal.SIGINT, signal.SIGINT),
    "terminated": (signal.SIGTERM,),
    "hung up": (signal.SIGHUP,),
}
POINTS, WITHIN = 24, 18  # the last ones hit the start of the program
SOON = 5.0  # seconds to exit
GRACE = 3.0  # seconds for what ran on the hosts


@dataclass
class Interrupted:
    way: str
    after: float
    code: int
    seconds: float
    text: str
    left: list[str]
    outcomes: list[str]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateSshd]:
    server = PrivateSshd(tmp_path_factory.mktemp("sshd")).start()
    yield server
    server.stop()


def inventory(server: PrivateSshd) -> str:
    return (
        "local ansible_connection=local\n"
        f"remote ansible_host=127.0.0.1 ansible_port={server.port} ansible_ssh_private_key_file={server.client_key} "
        f"ansible_ssh_known_hosts_file={server.known_hosts} ansible_ssh_common_args='-F none -o IdentitiesOnly=yes'\n"
    )


def running(mark: str) -> list[str]:
    """Processes of the run's tasks, but for the one that a task moved into a session of its own: that one is detached."""
    found = subprocess.run(["pgrep", "-af", f"sleep [0-9.]*{mark}"], capture_output=True, text=True, check=False).stdout.splitlines()
    return [line for line in found if "opsplay" not in line]


def wait_for_output(path: Path) -> None:
    ends = time.monotonic() + 20
    while not path.read_text() and time.monotonic() < ends:
        time.sleep(0.02)


def wait_until_signals_are_taken(pid: int) -> None:
    """Past the start of Python itself, which nothing of ours can answer for."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        if caught and int(caught[1], 16) & 1 << signal.SIGTERM - 1:
            return
        time.sleep(0.002)
    raise AssertionError("the program has not come to take signals")


def recorded(database: Path) -> list[str]:
    if not database.exists():
        return []
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [outcome for (outcome,) in connection.execute("SELECT outcome FROM runs")]


def interrupt(folder: Path, server: PrivateSshd, number: int) -> Interrupted:
    way = list(WAYS)[number % len(WAYS)]
    after = random.Random(number).uniform(0.0, 2.0 if number < WITHIN else 0.5)
    mark = f"{os.getpid()}{number:03d}"
    folder.mkdir()
    (folder / "inv").write_text(inventory(server))
    (folder / "play.yml").write_text(PLAY % {"mark": mark})
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(["env", "--default-signal=INT", OPSPLAY, "run", "-i", "inv", "play.yml"], cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        try:
            if number < WITHIN:
                wait_for_output(folder / "out")
            else:
                wait_until_signals_are_taken(process.pid)
            time.sleep(after)
            begun = time.monotonic()
            for sent in WAYS[way]:
                if process.poll() is None:
                    os.killpg(process.pid, sent)
                time.sleep(0.1)
            code = process.wait(20)
        finally:
            process.kill()
    seconds = time.monotonic() - begun
    while (left := running(mark)) and time.monotonic() - begun < seconds + GRACE:
        time.sleep(0.05)
    outcomes = recorded(folder / "state" / "history.sqlite3")
    return Interrupted(way, after, code, seconds, (folder / "out").read_text(), left, outcomes)


def test_any_time_any_way(tmp_path: Path, sshd: PrivateSshd) -> None:
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda number: interrupt(tmp_path / str(number), sshd, number), range(POINTS)))
    wrong = [end for end in ends if end.code != 130 or end.seconds > SOON or end.left or "Traceback" in end.text]
    assert not wrong
    begun = [end for end in ends if end.text.startswith("run ")]
    assert len(begun) >= WITHIN
    assert [end for end in begun if end.outcomes != ["interrupted"] or "interrupted" not in end.text.partition("Hosts")[2]] == []
    assert not any("the end" in end.text for end in ends)
    print(f"slowest exit {max(end.seconds for end in ends):.2f} s, {len(begun)} of {POINTS} within the run")


def test_nohup_is_honoured(tmp_path: Path) -> None:
    (tmp_path / "inv").write_text("h1 ansible_connection=local\n")
    (tmp_path / "play.yml").write_text("- hosts: all\n  gather_facts: false\n  tasks: [{command: sleep 1.5}]\n")
    process = subprocess.Popen(["nohup", OPSPLAY, "run", "-i", "inv", "play.yml"], cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
    time.sleep(1.2)
    os.killpg(process.pid, signal.SIGHUP)
    text, _ = process.communicate(timeout=20)
    assert process.returncode == 0, text


def test_a_command_of_a_lookup_does_not_hold_it_up(tmp_path: Path) -> None:
    mark = f"{random.randrange(10**6):06}"
    (tmp_path / "inv").write_text("h[1:3] ansible_connection=local\n")
    (tmp_path / "play.yml").write_text(
        f"- hosts: all\n  gather_facts: false\n  tasks: [debug: {{msg: \"{{{{ lookup('pipe', 'sleep 300.{mark}') }}}}\"}}]\n"
    )
    process = subprocess.Popen(["env", "--default-signal=INT", OPSPLAY, "run", "-i", "inv", "play.yml"], cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
    begun = time.monotonic()
    while not running(mark) and time.monotonic() - begun < 20:
        time.sleep(0.05)
    signalled = time.monotonic()
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=30)
    assert (process.returncode, running(mark)) == (130, []), text
    assert time.monotonic() - signalled < SOON
