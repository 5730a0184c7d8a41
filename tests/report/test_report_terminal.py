"""The terminal listener against real pipes and a real pseudo-terminal: fault row 49, and what an event costs."""

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path

import pytest
from weekly_run import weekly_run

from opsplay.events import HostFinished, HostStarted, RunStarted, TaskStarted
from opsplay.report.live_state import LiveState, OpenTask
from opsplay.report.output import Output, speaks_unicode
from opsplay.report.summary import RunSummary
from opsplay.report.terminal import progress_for

ROOT = Path(__file__).parents[2]
PROGRAM = str(Path(__file__).parent / "run_progress.py")
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "TZ": "UTC"}


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    line = command.replace("PROGRAM", f"{sys.executable} {PROGRAM}")
    return subprocess.run(
        ["bash", "-c", line], env=ENVIRON | environ, capture_output=True, text=True, timeout=60, cwd=ROOT
    )


@pytest.mark.parametrize("style", ["opsplay", "ansible"])
@pytest.mark.parametrize(
    "environ",
    [
        {"LANG": "C", "TERM": "dumb"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
        {"LANG": "C.UTF-8", "COLUMNS": "40"}, {"NO_COLOR": "1", "TERM": "xterm"}, {"COLUMNS": "0"}, {"COLUMNS": "1"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("redirection", ["PROGRAM 40 STYLE 0 | head -1; exit ${PIPESTATUS[0]}", "PROGRAM 2 STYLE 0 >&-", "PROGRAM 2 STYLE 0 >&- 2>&- <&-",
                                         "PROGRAM 2 STYLE 0", "PROGRAM 2 STYLE 0 >/dev/full"])  # fmt: skip
def test_no_traceback_whatever_is_at_the_other_end(redirection: str, environ: dict[str, str], style: str) -> None:
    done = shell(redirection.replace("STYLE", style), **environ)
    assert done.returncode in (0, 141)
    assert "Traceback" not in done.stdout + done.stderr
    assert "Error" not in done.stderr


def test_the_run_goes_on_when_the_reader_goes_away() -> None:
    done = shell("PROGRAM 100 opsplay 0 | head -1; echo rc=${PIPESTATUS[0]}")
    assert done.stdout.splitlines()[-1] == "rc=0"
    assert done.stderr.replace("warning: roles/log_rotation/handlers/main.yml:2:3: the service is masked\n", "") == ""


def test_nothing_but_ascii_where_the_locale_knows_nothing_else() -> None:
    done = shell("PROGRAM 1 opsplay 0", LANG="C")
    assert done.stdout.isascii()
    assert "x CRIT  failed" in done.stdout


# A real pseudo-terminal


def on_terminal(columns: int = 100, pause: float = 0.0, **environ: str) -> str:
    """What the program writes to a terminal of that width."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, PROGRAM, "1", "opsplay", str(pause)], ENVIRON | environ)
    ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    chunks = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and select.select([master], [], [], 5)[0]:
        try:
            chunks.append(os.read(master, 65536))
        except OSError:
            break
    _, status = os.waitpid(pid, 0)
    os.close(master)
    assert os.waitstatus_to_exitcode(status) == 0, b"".join(chunks).decode()
    return b"".join(chunks).decode()


def without_ansi(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_live_progress_on_a_terminal() -> None:
    text = on_terminal(TERM="xterm-256color", LANG="C.UTF-8", pause=0.05)
    plain = without_ansi(text)
    assert "Traceback" not in plain
    assert re.search(r"log_rotation : Rotate +changed 2  skipped 2 \(web1, web2\) +1\.8 s", plain)
    assert "web1| Setting up openssl" in plain
    assert "tasks done" in plain
    assert "web1| maintenance page: http://web1/maintenance" in plain
    assert "✗ CRIT  failed" in plain
    assert "\x1b[31m" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is given back"


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_no_escape_sequence_where_none_is_wanted(environ: dict[str, str]) -> None:
    text = on_terminal(LANG="C.UTF-8", **environ)
    assert "\x1b" not in text
    assert "changed     web1  log_rotation : Rotate  1.8 s" in text


def test_forty_columns_in_the_c_locale_on_a_terminal() -> None:
    text = on_terminal(columns=40, TERM="xterm", LANG="C")
    assert "Traceback" not in text
    assert text.isascii()


def test_a_terminal_that_hangs_up_ends_nothing() -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.execve(
            "/bin/sh",
            ["sh", "-c", f"trap '' HUP; exec {sys.executable} {PROGRAM} 1 opsplay 0.02"],
            ENVIRON | {"TERM": "xterm"},
        )
    os.read(master, 100)
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Pieces


def test_what_takes_long_is_named() -> None:
    state = LiveState()
    state.open(OpenTask("t1", "Reindex", "command", 0.0))
    for host in ("db1", "db2", "db3"):
        state.started("t1", host, 100.0)
    state.ended("t1", "db2", "ok", 1.0)
    state.started("t1", "db3", 130.0)
    assert state.waited_for(135.0) == [("db1", "Reindex", 35.0)]
    assert state.take_complete() == []
    state.open(OpenTask("t2", "Next", "ping", 0.0))
    state.ended("t1", "db1", "ok", 36.0)
    state.ended("t1", "db3", "changed", 6.0)
    assert [(task.title, task.outcomes, task.changed) for task in state.take_complete()] == [
        ("Reindex", {"ok": 2, "changed": 1}, ["db3"])
    ]


def test_which_streams_speak_unicode() -> None:
    assert speaks_unicode(sys.__stdout__, {"LANG": "de_DE.UTF-8"}) == (
        (sys.__stdout__.encoding or "").lower() == "utf-8"
    )
    assert not speaks_unicode(sys.__stdout__, {"LANG": "C"})
    assert not speaks_unicode(None, {"LANG": "de_DE.UTF-8"})


def test_escape_sequences_of_a_host_never_reach_the_terminal(tmp_path: Path) -> None:
    with open(tmp_path / "out", "w+", encoding="utf-8") as file:
        shown = progress_for(RunSummary(), stdout=file, environ={"LANG": "C.UTF-8"}, verbosity=2)
        for event in weekly_run():
            evil = "\x1b]0;owned\x07\x9b31m\u202eevil"
            shown(
                replace(event, result={"msg": evil, "failed": True, "stdout": evil}, status="failed")
                if isinstance(event, HostFinished)
                else event
            )
        text = (tmp_path / "out").read_text()
    assert "evil" in text
    assert not set("\x1b\x07\x9b\u202e") & set(text)


@pytest.mark.parametrize("verbosity", [0, 1])
def test_what_an_event_costs(verbosity: int, tmp_path: Path) -> None:
    """50 hosts x 60 tasks: less than 50 microseconds of CPU an event, summary and progress together."""
    hosts = [f"host{n:02}" for n in range(50)]
    events: list[object] = [e for e in weekly_run() if isinstance(e, RunStarted)]
    for number in range(60):
        events.append(
            TaskStarted(at=1.0, task_id=f"t{number}", task=f"task {number}", action="command", where="p.yml:1:1")
        )
        events += [HostStarted(at=1.0, task_id=f"t{number}", host=host) for host in hosts]
        result = {"changed": False, "rc": 0, "stdout": "x" * 80}
        events += [
            HostFinished(at=2.0, task_id=f"t{number}", host=host, status="ok", result=result, duration=0.1)
            for host in hosts
        ]
    summary = RunSummary()
    with open(tmp_path / "out", "w", encoding="utf-8") as file:
        shown = progress_for(summary, stdout=file, environ={"LANG": "C.UTF-8"}, verbosity=verbosity)
        began = time.process_time()
        for event in events:
            summary(event)  # type: ignore[arg-type]
            shown(event)  # type: ignore[arg-type]
        each = (time.process_time() - began) / len(events) * 1e6
    print(f"{each:.1f} us an event at verbosity {verbosity}")
    assert each < 50


def test_output_without_a_stream_is_silent() -> None:
    output = Output(None, {})
    output.write("nobody reads this")
    assert (output.broken, output.is_terminal(), output.colour) == (True, False, False)
