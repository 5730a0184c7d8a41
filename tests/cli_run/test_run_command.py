"""`opsplay run` end to end: its exit codes, its output in odd terminals, its record."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli_run.command import LOCAL, OPSPLAY, environment, history, opsplay, write

AWAY = "h1 ansible_connection=local\naway ansible_host=127.0.0.1 ansible_port=1 ansible_timeout=2\n"
GOOD = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {name: say, debug: {msg: hällo wörld}}\n    - {name: do, command: echo hi}\n"
BAD = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {command: /bin/false, when: inventory_hostname != 'h2'}\n    - {name: go on, command: echo on}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write(tmp_path, good_yml=GOOD, bad_yml=BAD, wrong_yml="- hosts: all\n  task: []\n", inv=LOCAL, away=AWAY)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "-i", "inv", "good.yml"), 0),
        (("run", "-i", "inv", "bad.yml"), 2),
        (("run", "-i", "away", "bad.yml"), 4),
        (("run", "-i", "inv", "wrong.yml"), 1),
        (("run", "-i", "inv", "gone.yml"), 1),
        (("run", "-i", "gone", "good.yml"), 1),
        (("run", "-i", "inv", "-e", "no sense", "good.yml"), 1),
        (("run", "-i", "inv", "-l", "nobody", "good.yml"), 1),
        (("run", "-i", "inv", "--no-such-flag", "good.yml"), 1),
        (("run",), 1),
        (("run", "-i", "inv", "good.yml", "-o", "/proc/nowhere/summary.html"), 3),
    ],
)
def test_exit_codes(place: Path, arguments: tuple[str, ...], code: int) -> None:
    done = opsplay(place, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert (done.stdout if code in (0, 2, 4) else done.stderr).strip(), "it says why"


def test_one_host_fails_and_the_other_goes_on(place: Path) -> None:
    done = opsplay(place, "run", "-i", "inv", "bad.yml", "-o", "s.json")
    assert done.returncode == 2
    assert "changed     h2  go on" in done.stdout
    assert "changed     h1  go on" not in done.stdout
    assert [run["outcome"] for run in history(place)] == ["failed"]


LONG = """- hosts: h1
  gather_facts: false
  tasks:
    - {name: short, command: echo quickly}
    - {name: long, shell: "echo one; sleep 1.5; echo two >&2; echo pass=s3cr3t-val; sleep 0.5"}
    - {name: looped, shell: "echo item {{ item }}; sleep 1.5", loop: [a, b], loop_control: {parallel: 2}}
    - {name: hidden, shell: "echo hidden-val; sleep 1.5", no_log: true}
"""


def test_long_commands_show_their_output_as_it_comes(place: Path) -> None:
    write(place, long_yml=LONG)
    (place / "inv").write_text("h1 ansible_connection=local ansible_password=s3cr3t-val\n")
    done = opsplay(place, "run", "-i", "inv", "long.yml", OPSPLAY_LIVE_OUTPUT="1")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    at = {text: number for number, text in enumerate(lines)}
    assert at["h1| one"] < at["h1| two"] < next(n for n, line in enumerate(lines) if line.startswith("changed     h1  long"))
    assert "h1| pass=********" in lines and {"h1| item a", "h1| item b"} <= set(lines)
    assert not [text for text in ("quickly", "s3cr3t-val", "hidden-val") if f"h1| {text}" in done.stdout]
    assert "one" not in opsplay(place, "run", "-i", "inv", "long.yml", "-q", OPSPLAY_LIVE_OUTPUT="1").stdout
    assert "h1| one" not in opsplay(place, "run", "-i", "inv", "long.yml", OPSPLAY_LIVE_OUTPUT="-1").stdout
    journals = list((place / "state").rglob("journal.jsonl"))
    assert journals and not [path for path in journals if "OutputLine" in path.read_text()], "the results have the output"


def test_exec_shows_them_beside_its_results(place: Path) -> None:
    controller, terminal = pty.openpty()
    command = [OPSPLAY, "exec", "-i", "inv", "h1", "-m", "shell", "-a", "echo early; sleep 1.5; echo late"]
    done = subprocess.run(command, cwd=place, env=environment(place, OPSPLAY_LIVE_OUTPUT="1"), stdout=subprocess.PIPE, stderr=terminal,
                          text=True, timeout=60, check=True)  # fmt: skip
    os.close(terminal)
    assert os.read(controller, 1000).decode().splitlines() == ["h1| early", "h1| late"]
    os.close(controller)
    assert done.stdout == "h1 | CHANGED | rc=0 >>\nearly\nlate\n"


def test_max_fail_says_why_the_run_stopped(place: Path) -> None:
    done = opsplay(place, "run", "-i", "inv", "bad.yml", "--max-fail", "10%")
    reason = "stopped: 1 of 2 hosts (50 %) failed or were unreachable, and --max-fail allows 10 %: h1"
    assert done.returncode == 2 and reason in done.stderr and reason in done.stdout.replace("\n  ", " ")
    assert "go on" not in done.stdout
    assert opsplay(place, "run", "-i", "inv", "bad.yml", "--max-fail", "1").stdout.count("go on") >= 1
    wrong = opsplay(place, "run", "-i", "inv", "bad.yml", "--max-fail", "ten")
    assert wrong.returncode == 1 and "Write --max-fail 3 or --max-fail 10%." in wrong.stderr


def test_what_debug_says_is_shown(place: Path) -> None:
    done = opsplay(place, "run", "-i", "inv", "good.yml")
    assert "h1| hällo wörld" in done.stdout and "h2| hällo wörld" in done.stdout
    assert [run["outcome"] for run in history(place)] == ["ok"]


def test_secrets_of_extra_vars_stay_out_of_the_record(place: Path) -> None:
    assert opsplay(place, "run", "-i", "inv", "-e", "token=s3cr3t-val", "good.yml").returncode == 0
    kept = [path for path in (place / "state").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"s3cr3t-val" in path.read_bytes()]


def test_no_log_keeps_a_diff_out_of_every_report(place: Path) -> None:
    write(place, diff_yml="- hosts: h1\n  gather_facts: false\n  tasks:\n    - {name: put, no_log: true, loop: [1, 2],"
                          " copy: {content: 's3cr3t-val {{ item }}', dest: '{{ playbook_dir }}/put'}}\n")  # fmt: skip
    reports = [word for ending in ("html", "json", "md", "xml", "txt") for word in ("-o", f"r.{ending}")]
    done = opsplay(place, "run", "-i", "inv", "-D", "-vvv", "diff.yml", *reports)
    assert done.returncode == 0 and (place / "put").read_text() == "s3cr3t-val 2"
    told = [*place.glob("r.*"), *(path for path in (place / "state").rglob("*") if path.is_file())]
    assert len(told) > 5
    assert not [path for path in told if b"s3cr3t-val" in path.read_bytes()]
    assert "s3cr3t-val" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("tail", "codes"),
    [
        ("| head -1", {0, 141}),
        ("| true", {0, 141}),
        (">&-", {0}),
        (">&- 2>&- <&-", {0}),
        ("2>&-", {0}),
        ("<&-", {0}),
        (">/dev/full", {0}),
        (">/dev/full 2>/dev/full", {0}),
    ],
)
def test_streams_that_go_away(place: Path, tail: str, codes: set[int]) -> None:
    """The run goes on to its end: what it does on hosts must not hang on who reads along."""
    script = f"set -o pipefail; {OPSPLAY} run -i inv good.yml {tail}; echo rc=$? >&9"
    with (place / "rc").open("w") as rc:
        done = subprocess.run(["bash", "-c", f"exec 9>&{rc.fileno()}; {script}"], cwd=place, env=environment(place), pass_fds=[rc.fileno()],
                              capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert "Traceback" not in done.stderr + done.stdout
    code = int((place / "rc").read_text().strip().removeprefix("rc="))
    assert code in codes, done.stderr
    assert [run["outcome"] for run in history(place)] == ["ok"]


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({"LANG": "C", "LC_ALL": "C"}, lambda text: "+ OK  ok - 2 hosts" in text),
        ({"TERM": "dumb"}, lambda text: "\x1b" not in text),
        ({"COLUMNS": "40"}, lambda text: "Hosts" in text),
        ({"TERM": "", "LANG": ""}, lambda text: "\x1b" not in text),
        ({"PYTHONIOENCODING": "latin-1"}, lambda text: "Hosts" in text),
    ],
)
def test_odd_terminals(place: Path, more: dict[str, str], fits: Callable[[str], bool]) -> None:
    done = subprocess.run([OPSPLAY, "run", "-i", "inv", "good.yml"], cwd=place, env=environment(place, **more), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)  # fmt: skip
    text = done.stdout.decode("latin-1") + done.stderr.decode("latin-1")
    assert (done.returncode, "Traceback" in text) == (0, False), text
    assert fits(text), text


def test_a_prompt_without_a_terminal_takes_the_default(place: Path) -> None:
    (place / "ask.yml").write_text(
        "- hosts: h1\n  gather_facts: false\n  vars_prompt: [{name: who, prompt: Who, default: nobody}]\n  tasks: [{debug: {msg: 'I am {{ who }}'}}]\n"
    )
    done = opsplay(place, "run", "-i", "inv", "ask.yml")
    assert (done.returncode, "I am nobody" in done.stdout) == (0, True), done.stderr


def test_second_run_changes_nothing(place: Path) -> None:
    (place / "roles/r/tasks").mkdir(parents=True)
    (place / "roles/r/tasks/main.yml").write_text(
        "- file: {path: '{{ base }}/d', state: directory, mode: '0750'}\n"
        "- copy: {content: 'a=1', dest: '{{ base }}/d/f', mode: '0600'}\n"
        "- lineinfile: {path: '{{ base }}/d/f', line: b=2}\n  check_mode: false\n  when: false\n"
        "- file: {src: f, dest: '{{ base }}/d/l', state: link, follow: false}\n"
    )
    (place / "role.yml").write_text("- hosts: h1\n  gather_facts: false\n  roles: [r]\n")
    runs = [opsplay(place, "run", "-i", "inv", "-e", f"base={place}/base", "role.yml") for _ in range(2) if os.makedirs(place / "base", exist_ok=True) is None]
    assert [done.returncode for done in runs] == [0, 0]
    assert ("3 changed" in runs[0].stdout, "0 changed" in runs[1].stdout) == (True, True), runs[1].stdout
