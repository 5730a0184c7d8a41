"""The history database, on SQLite and on a real PostgreSQL alike."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.events import Event, HostFinished, RunFinished, RunStarted, StatsSet
from opsplay.history.comparison import compare
from opsplay.history.database import HistoryFailed, migrations, opened, statements
from opsplay.history.journal import Journal
from opsplay.history.queries import History, RunFilter
from opsplay.history.record import record
from opsplay.report.summary import RunSummary

FIRST, SECOND = "20261122-100000-a1b2c3", "20261129-100000-d4e5f6"
WEEK = 7 * 86400.0


def later(events: list[Event]) -> list[Event]:
    """The run of the week after: web2 is well, and the table has not grown."""
    changed = []
    for event in events:
        event = replace(event, at=event.at + WEEK)
        if isinstance(event, RunStarted):
            event = replace(event, run_id=SECOND, playbooks=("other/site.yml",))
        elif isinstance(event, RunFinished):
            event = replace(event, run_id=SECOND, outcome="ok", exit_code=0, duration=30.0)
        elif isinstance(event, HostFinished) and event.status in ("failed", "unreachable"):
            event = replace(event, status="ok", result={}, ignored=False, rescued=False)
        elif isinstance(event, StatsSet) and "verdicts" in event.data:
            event = replace(
                event, data={**event.data, "verdicts": [{"check": "c", "level": "warn"}], "bytes_freed": 100}
            )
        changed.append(event)
    return changed


@pytest.fixture
def past(tmp_path: Path, target: str, events: list[Event]) -> History:
    """Two recorded runs."""
    record(RunSummary.from_events(events), target)
    record(RunSummary.from_events(later(events)), target)
    return History(tmp_path / "state", target)


def ids(past: History, **wanted: object) -> list[str]:
    return [row.run_id for row in past.runs(RunFilter(**wanted))]  # type: ignore[arg-type]


def test_runs_are_listed_newest_first(past: History) -> None:
    newest, oldest = past.runs(RunFilter())
    assert (newest.run_id, newest.outcome, newest.verdict, newest.failed, newest.playbooks) == (
        SECOND,
        "ok",
        "warn",
        0,
        ["other/site.yml"],
    )
    assert (oldest.outcome, oldest.verdict, oldest.hosts, oldest.changed, oldest.failed) == ("failed", "crit", 4, 7, 2)
    assert oldest.duration == 41.7


def test_filters(past: History) -> None:
    assert ids(past, host="db1") == [SECOND, FIRST]
    assert ids(past, host="nowhere") == []
    assert (
        ids(past, playbook="weekly_maintenance.yml")
        == ids(past, playbook="playbooks/weekly_maintenance.yml")
        == [FIRST]
    )
    assert ids(past, playbook="weekly%maintenance.yml") == ids(past, playbook="eekly_maintenance.yml") == []
    assert ids(past, outcome="failed") == ids(past, outcome="crit") == [FIRST]
    assert ids(past, since=1795341600.0 + 86400) == [SECOND]
    assert ids(past, limit=1) == [SECOND]


def test_one_run(past: History) -> None:
    assert (past.find("last"), past.find("20261122"), past.find(FIRST)) == (SECOND, FIRST, FIRST)
    recorded = past.recorded(FIRST)
    assert recorded is not None
    assert recorded.hosts["web2"]["failed"] == 1
    failure = recorded.results["log_rotation : Reload the application", "web2"]
    assert (failure["outcome"], failure["message"][:16]) == ("failed", "Unable to reload")
    assert "+size: 5242880" in recorded.results["log_rotation : Rotate", "web1"]["diff"]
    assert recorded.metrics["db1", "postgres.shop.before.index_bloat_pct"] == 61.2
    assert recorded.metrics["db1", "disk./.used_percent"] == 71.0
    assert recorded.metrics["web1", "stats.bytes_freed"] == 156_237_824
    assert [verdict["level"] for verdict in recorded.verdicts] == ["crit", "warn", "ok"]
    assert past.recorded("20200101-000000-000000") is None


@pytest.mark.parametrize("name", ["2026", "nothing", "%"])
def test_a_name_that_is_not_one_run(past: History, name: str) -> None:
    with pytest.raises(OpsError) as caught:
        past.find(name)
    assert caught.value.code == "unknown-run"
    assert "opsplay history list" in caught.value.remedy


def test_comparing(past: History) -> None:
    runs = past.recorded(SECOND), past.recorded(FIRST)
    assert runs[0] and runs[1]
    found = compare(runs[0], runs[1])
    assert (found.first, found.second, found.seconds) == (FIRST, SECOND, (41.7, 30.0))
    assert ("log_rotation : Reload the application", "web2", "failed", "ok") in found.outcomes
    assert ("package_updates : Upgrade", "cache1", "ignored", "ok") in found.outcomes
    assert {name for name, *_ in found.metrics} == {"stats.bytes_freed"}


def test_recording_twice_replaces(tmp_path: Path, target: str, events: list[Event]) -> None:
    for _ in range(3):
        record(RunSummary.from_events(events), target)
    with opened(target) as database:
        assert database.query("SELECT COUNT(*) AS n FROM runs")[0]["n"] == 1
        assert database.query("SELECT COUNT(*) AS n FROM task_results")[0]["n"] == 23


def test_what_hosts_send_does_not_break_the_record(target: str, events: list[Event]) -> None:
    odd = "\x00\ud800'; DROP TABLE runs; --"
    poisoned = [replace(e, result={"msg": odd, "changed": True, "diff": {"prepared": odd}}, status="failed") if isinstance(e, HostFinished) else e
                for e in events]  # fmt: skip
    poisoned.append(
        StatsSet(at=1.0, host="web1", data={odd: 7, "nan": float("nan"), "big": 10**30, "verdicts": {odd: odd}})
    )
    record(RunSummary.from_events(poisoned), target)
    with opened(target) as database:
        assert database.query("SELECT COUNT(*) AS n FROM task_results WHERE outcome = 'failed'")[0]["n"] > 20


def test_many_controllers_start_at_once(target: str, events: list[Event]) -> None:
    """Eight first runs: the schema is made once, every run is kept."""

    def one(number: int) -> None:
        run = [replace(event, run_id=f"run-{number}") if hasattr(event, "run_id") else event for event in events]
        record(RunSummary.from_events(run), target)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    with opened(target) as database:
        assert database.query("SELECT COUNT(*) AS n FROM runs")[0]["n"] == 8
        assert database.query("SELECT COUNT(*) AS n FROM schema_version")[0]["n"] == len(migrations())


def test_a_newer_schema_is_left_alone(target: str) -> None:
    with opened(target) as database:
        database.execute("INSERT INTO schema_version (version) VALUES (:v)", {"v": 99})
    with pytest.raises(OpsError) as caught, opened(target):
        pass
    assert caught.value.code == "history-newer"


def test_an_error_keeps_what_was_there(target: str, events: list[Event]) -> None:
    record(RunSummary.from_events(events), target)
    with pytest.raises(HistoryFailed), opened(target) as database:
        database.execute("DELETE FROM runs")
        database.execute("INSERT INTO nowhere VALUES (1)")
    with opened(target) as database:
        assert database.query("SELECT COUNT(*) AS n FROM runs")[0]["n"] == 1


# Journals beside the database


def test_runs_that_were_never_recorded_are_listed_too(tmp_path: Path, target: str, events: list[Event]) -> None:
    state = tmp_path / "state"
    record(RunSummary.from_events(later(events)), target)
    journal = Journal(state, FIRST)
    for event in events[:40]:
        journal(event)
    past = History(state, target)
    assert [(row.run_id, row.outcome) for row in past.runs(RunFilter())] == [(SECOND, "ok"), (FIRST, "running")]
    journal.close()
    assert [(row.run_id, row.outcome) for row in past.runs(RunFilter(outcome="interrupted"))] == [
        (FIRST, "interrupted")
    ]
    assert ids(past, host="web2") == [SECOND, FIRST]
    summary = past.summary(FIRST)
    assert summary is not None
    assert summary.outcome == "interrupted"
    assert past.summary(SECOND) is None


# SQLite's own


def test_sqlite_is_private_and_in_wal_mode(tmp_path: Path, events: list[Event]) -> None:
    path = tmp_path / "new" / "history.sqlite3"
    record(RunSummary.from_events(events), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_sqlite_url_and_a_file_that_is_no_database(tmp_path: Path, events: list[Event]) -> None:
    record(RunSummary.from_events(events), f"sqlite:///{tmp_path}/x.db")
    assert (tmp_path / "x.db").is_file()
    (tmp_path / "bad.db").write_text("no database, and long enough to be read as one. " * 50)
    with pytest.raises(HistoryFailed):
        record(RunSummary.from_events(events), tmp_path / "bad.db")


def test_a_database_in_a_folder_that_cannot_be_written_is_still_read(tmp_path: Path, events: list[Event]) -> None:
    """A full disk must not hide what happened. (Root may write anywhere: then a broken WAL file stands in for it.)"""
    path = tmp_path / "kept" / "history.sqlite3"
    record(RunSummary.from_events(events), path)
    path.with_name("history.sqlite3-wal").mkdir()
    assert [row.run_id for row in History(tmp_path, path).runs(RunFilter())] == [FIRST]
    with pytest.raises(HistoryFailed):
        record(RunSummary.from_events(events), path)


def test_an_unknown_kind_of_database_is_refused(events: list[Event]) -> None:
    with pytest.raises(OpsError) as caught:
        record(RunSummary.from_events(events), "mysql://root:hunter2@db/x")
    assert caught.value.code == "unknown-history-database"
    assert "hunter2" not in caught.value.render()


def test_postgresql_that_is_away_is_named_without_its_password(events: list[Event]) -> None:
    with pytest.raises(HistoryFailed) as caught:
        record(RunSummary.from_events(events), "postgresql://ada:hunter2@127.0.0.1:1/history")
    assert "127.0.0.1" in caught.value.message
    assert "hunter2" not in caught.value.render()


def test_migration_files_are_numbered_without_gaps() -> None:
    assert [int(path.name[:3]) for path in migrations()] == list(range(1, len(migrations()) + 1))
    assert statements("-- a; b\nCREATE TABLE x (\n  a INT\n);\n\nSELECT 1;\n") == [
        "CREATE TABLE x (\n  a INT\n)",
        "SELECT 1",
    ]
