"""The journal: every event on disk at once, private, whole lines; a dead process shows."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.events import Event, FactsGathered, HostFinished, OutputLine, TaskStarted, event_from_json
from opsplay.history.journal import Journal, encode_event, is_open
from opsplay.history.queries import History, RunFilter
from opsplay.history.state_dir import journal_path, new_run_id, run_dir, state_dir
from opsplay.report.summary import RunSummary

RUN = "20261122-100000-a1b2c3"
ROOT = Path(__file__).parents[2]


def test_every_event_can_be_read_back(tmp_path: Path, events: list[Event]) -> None:
    journal = Journal(tmp_path / "state", RUN)
    written = 0
    for event in events:
        journal(event)
        written += not isinstance(event, OutputLine)  # live output: the result has it all
        assert len(journal.path.read_bytes().splitlines()) == written, "written before the next thing happens"
    assert written == len(events) - 3
    assert RunSummary.from_journal(journal.path).as_json() == RunSummary.from_events(events).as_json()


def test_nobody_else_can_read_it(tmp_path: Path, events: list[Event]) -> None:
    os.umask(0o022)
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    journal = Journal(state, RUN)
    journal(events[0])
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (state, journal.path.parent, journal.path)}
    assert list(modes.values()) == [0o700, 0o700, 0o600]


def test_odd_results_become_text() -> None:
    class Tagged(str):
        __slots__ = ()

    loop: list[object] = []
    loop.append(loop)
    odd = {
        "set": {2, 1},
        "bytes": b"\xff",
        "tagged": Tagged("x"),
        ("a", 1): 2,
        "nan": float("nan"),
        "object": object,
        "lone": "\ud800",
    }
    for result in (odd, {"loop": loop}, {"deep": json.loads("[" * 400 + "]" * 400)}):
        event = HostFinished(at=1.0, task_id="t", host="h", status="ok", result=result, duration=0.1)
        line = encode_event(event)
        assert line.endswith(b"\n")
        assert b"\n" not in line[:-1]
        assert event_from_json(json.loads(line)).kind == "HostFinished"


def test_gathered_facts_are_written_once() -> None:
    def finished(facts: dict[str, int]) -> dict[str, object]:
        event = HostFinished(
            at=1.0, task_id="t", host="h", status="ok", result={"ansible_facts": facts, "changed": False}, duration=0.1
        )
        result: dict[str, object] = json.loads(encode_event(event))["result"]
        return result

    assert finished({f"f{n}": n for n in range(500)}) == {"ansible_facts": {}, "changed": False}
    assert finished({"mine": 1}) == {"ansible_facts": {"mine": 1}, "changed": False}


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    first = Journal(tmp_path, RUN)
    with pytest.raises(OpsError) as caught:
        Journal(tmp_path, RUN)
    assert caught.value.code == "run-under-way"
    first.close()
    Journal(tmp_path, RUN).close()


PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from weekly_run import weekly_run
from opsplay.history.journal import Journal
journal = Journal(Path(sys.argv[1]), "20261122-100000-a1b2c3")
for number, event in enumerate(weekly_run()):
    if number == 30:
        print("here", flush=True)
        time.sleep(60)
    journal(event)
"""


def test_a_run_is_running_then_interrupted_when_its_process_is_killed(tmp_path: Path) -> None:
    tests = str(ROOT / "tests" / "report")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), tests], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    try:
        assert process.stdout and process.stdout.readline() == "here\n"
        assert [row.outcome for row in History(tmp_path).runs(RunFilter())] == ["running"]
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait(10)
    path = journal_path(tmp_path, RUN)
    assert not is_open(path)
    assert len(path.read_bytes().splitlines()) == 30, "a kill loses nothing that was written"
    row = History(tmp_path).runs(RunFilter())[0]
    assert (row.run_id, row.outcome, row.verdict, row.playbooks) == (
        RUN,
        "interrupted",
        "crit",
        ["playbooks/weekly_maintenance.yml"],
    )
    assert History(tmp_path).find("last") == RUN


def test_what_an_event_costs(tmp_path: Path) -> None:
    """50 hosts x 60 tasks: less than 50 microseconds of CPU an event, syncs included."""
    journal = Journal(tmp_path, RUN)
    result = {
        "changed": False,
        "rc": 0,
        "stdout": "x" * 200,
        "cmd": ["true"],
        "start": "2026-11-22",
        "end": "2026-11-22",
    }
    events: list[Event] = []
    for number in range(60):
        events.append(TaskStarted(at=1.0, task_id=f"t{number}", task="task", action="command", where="p.yml:1:1"))
        ends = [
            HostFinished(at=2.0, task_id=f"t{number}", host=f"h{n}", status="ok", result=result, duration=0.1)
            for n in range(50)
        ]
        events += ends
    began = time.process_time()
    for event in events:
        journal(event)
    each = (time.process_time() - began) / len(events) * 1e6
    print(f"{each:.1f} us an event")
    assert each < 50
    began = time.process_time()
    journal(FactsGathered(at=1.0, host="h", facts={f"fact{n}": ["value"] * 20 for n in range(500)}))
    assert time.process_time() - began < 0.02


# Where it lies


def test_state_folder(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert state_dir(None, home, tmp_path) == tmp_path / ".local/state/opsplay"
    assert state_dir(None, home | {"XDG_STATE_HOME": "/x"}, tmp_path) == Path("/x/opsplay")
    assert state_dir(None, home | {"OPSPLAY_STATE": "/y"}, tmp_path) == Path("/y")
    assert state_dir("/z", home | {"OPSPLAY_STATE": "/y"}, tmp_path) == Path("/z")
    (tmp_path / ".opsplay").mkdir(mode=0o755)
    assert state_dir(None, home, tmp_path) == tmp_path / ".opsplay"


def test_a_planted_state_folder_is_not_used(tmp_path: Path) -> None:
    (tmp_path / ".opsplay").mkdir()
    (tmp_path / ".opsplay").chmod(0o777)
    assert state_dir(None, {"HOME": "/h"}, tmp_path) == Path("/h/.local/state/opsplay")
    (tmp_path / ".opsplay").rmdir()
    (tmp_path / ".opsplay").symlink_to("/tmp")
    assert state_dir(None, {"HOME": "/h"}, tmp_path) == Path("/h/.local/state/opsplay")


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "-x", "a\n", "x" * 200, ".hidden"])
def test_run_ids_are_plain_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        run_dir(tmp_path, name)
    assert caught.value.code == "bad-run-id"


def test_new_run_ids_sort_by_time() -> None:
    assert new_run_id(1795341600.0)[:16] == "20261122-100000-"
    assert len({new_run_id() for _ in range(100)}) == 100


def test_a_state_folder_that_cannot_be_made_says_so(events: list[Event]) -> None:
    with pytest.raises(OpsError) as caught:
        Journal(Path("/proc/nowhere"), RUN)
    assert caught.value.code == "state-folder-not-usable"
    assert "OPSPLAY_STATE" in caught.value.remedy


def test_events_after_the_journal_is_closed_are_refused_not_lost(tmp_path: Path, events: list[Event]) -> None:
    journal = Journal(tmp_path, RUN)
    for event in events:
        journal(event)
    with pytest.raises(OpsError):
        journal(replace(events[0], run_id="other"))
