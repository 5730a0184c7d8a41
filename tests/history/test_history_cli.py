"""`opsplay history` as its users type it: real processes, real exit codes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opsplay.cli.history import since_text
from opsplay.errors import OpsError
from opsplay.events import Event
from opsplay.history.journal import Journal
from opsplay.history.record import record
from opsplay.report.summary import RunSummary

RUN = "20261122-100000-a1b2c3"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def state(tmp_path: Path, events: list[Event]) -> Path:
    """One recorded run, with its journal."""
    folder = tmp_path / "state"
    journal = Journal(folder, RUN)
    for event in events:
        journal(event)
    record(RunSummary.from_events(events), folder / "history.sqlite3")
    return folder


def opsplay(state: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from opsplay.cli.main import main; main()", "history", *words]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "OPSPLAY_STATE": str(state),
        "HOME": str(state),
        "TZ": "UTC",
        **environ,
    }
    return subprocess.run(command, env=env, cwd=state.parent, capture_output=True, text=True, timeout=60)


def test_list(state: Path) -> None:
    done = opsplay(state, "list")
    assert (done.returncode, done.stderr) == (0, "")
    head, line = done.stdout.splitlines()
    assert head.split() == ["run", "started", "outcome", "verdict", "hosts", "changed", "failed", "time", "playbook"]
    assert line.split() == [
        RUN,
        "2026-11-22",
        "10:00:00",
        "failed",
        "crit",
        "4",
        "7",
        "2",
        "42",
        "s",
        "weekly_maintenance.yml",
    ]
    rows = json.loads(opsplay(state, "list", "--json", "--host", "db1", "--since", "2026-11-01").stdout)
    assert [(row["run_id"], row["outcome"], row["check"]) for row in rows] == [(RUN, "failed", False)]
    assert opsplay(state, "list", "--outcome", "ok").stdout == "no runs\n"


def test_show(state: Path, tmp_path: Path) -> None:
    done = opsplay(state, "show", "2026", "--report", "page.html")
    assert done.returncode == 0
    assert "failed web2  log_rotation : Reload the application" in done.stdout
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o600
    assert json.loads(opsplay(state, "show", "--json").stdout)["run"]["id"] == RUN


def test_show_from_the_database_where_the_journal_is_gone(state: Path) -> None:
    (state / "runs" / RUN / "journal.jsonl").unlink()
    done = opsplay(state, "show", "last")
    assert done.returncode == 0
    assert "web2: ok=5 changed=2 unreachable=0 failed=1" in done.stdout
    assert json.loads(opsplay(state, "show", "--json").stdout)["run"]["run_id"] == RUN


def test_path_and_compare(state: Path) -> None:
    assert opsplay(state, "path").stdout == f"{state}/runs/{RUN}\n"
    assert "no difference" in opsplay(state, "compare", RUN, "last").stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "nothing"), "unknown-run"),
        (("list", "--since", "tomorrow"), "bad-time"),
        (("--database", "mysql://x/y", "list"), "unknown-history-database"),
    ],
)
def test_errors_are_exit_code_one_with_a_remedy(state: Path, words: tuple[str, ...], code: str) -> None:
    done = opsplay(state, *words)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {code}\n")
    assert len(done.stderr.splitlines()) >= 4


def test_an_empty_history_is_no_error(tmp_path: Path) -> None:
    assert (opsplay(tmp_path / "new", "list").stdout, opsplay(tmp_path / "new", "list").returncode) == ("no runs\n", 0)


@pytest.mark.parametrize(
    "environ", [{"LANG": "C", "TERM": "dumb"}, {"COLUMNS": "40"}, {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}]
)
def test_pipes_and_locales(state: Path, environ: dict[str, str]) -> None:
    """Fault row 49 for this command."""
    program = f"{sys.executable} -c 'from opsplay.cli.main import main; main()' history"
    for words in ("list | head -1", "show | head -1", "list >&-", "show >&-"):
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "OPSPLAY_STATE": str(state),
            "HOME": "/nonexistent",
            **environ,
        }
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {program} {words}"], env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode in (0, 141), done.stderr
        assert "Traceback" not in done.stderr


def test_list_is_quick(state: Path) -> None:
    began = time.monotonic()
    opsplay(state, "list")
    assert time.monotonic() - began < 3


def test_times() -> None:
    assert since_text("7d", now=1_000_000.0) == 1_000_000.0 - 7 * 86400
    assert since_text("30m", now=3600.0) == 1800.0
    assert since_text("") == 0.0
    assert since_text("2026-11-22T10:00+00:00") == 1795341600.0
    with pytest.raises(OpsError):
        since_text("7 years")
