"""Events folded into a summary: counts, changes, verdicts, header, coverage, JSON by its schema."""

import json
from pathlib import Path

import jsonschema
import pytest
from weekly_run import HOSTS, START, weekly_run

from opsplay.events import HostFinished, Notice, RunFinished, RunStarted, StatsSet, TaskStarted, event_from_json
from opsplay.report.run_stats import RunStats, maintenance, merged
from opsplay.report.summary import RunSummary
from opsplay.report.summary_json import plain, schema, summary_text
from opsplay.report.text_summary import plain_text, summary_lines
from opsplay.report.verdicts import level_of, verdicts_from


@pytest.fixture(scope="module")
def weekly() -> RunSummary:
    return RunSummary.from_events(weekly_run())


def started(**more: object) -> RunStarted:
    fields = {"run_id": "r1", "playbooks": ("p.yml",), "inventory": (), "hosts": ("h",), "operator": "ada", "controller": "c",
              "command": (), "check": False, "diff": False, "version": "1"}  # fmt: skip
    return RunStarted(at=START, **(fields | more))  # type: ignore[arg-type]


def test_counts_of_each_host(weekly: RunSummary) -> None:
    found = {
        name: (h.counts.ok, h.counts.changed, h.counts.failed, h.counts.unreachable) for name, h in weekly.hosts.items()
    }
    assert found == {"web1": (7, 3, 0, 0), "web2": (5, 2, 1, 0), "db1": (6, 2, 0, 0), "cache1": (4, 0, 0, 1)}
    assert (weekly.hosts["db1"].counts.rescued, weekly.hosts["cache1"].counts.ignored) == (1, 1)


def test_same_changes_are_grouped(weekly: RunSummary) -> None:
    groups = {group.task.title: group.hosts for group in weekly.change_groups()}
    assert groups == {
        "log_rotation : Rotate": ("web1", "web2"),
        "package_updates : Upgrade": ("web1", "web2", "db1"),
        "postgres_maintenance : Reindex what is bloated": ("db1",),
        "log_rotation : Reload the application": ("web1",),
    }


def test_failures_nobody_dealt_with_come_first(weekly: RunSummary) -> None:
    assert [(f.host, f.outcome) for f in weekly.failures] == [
        ("web2", "failed"), ("cache1", "unreachable"), ("cache1", "ignored"), ("db1", "rescued"),
    ]  # fmt: skip
    assert weekly.failures[0].message.startswith("Unable to reload")


def test_facts_that_matter(weekly: RunSummary) -> None:
    facts = weekly.hosts["db1"].facts
    assert facts["os"] == "Debian 12.8"
    assert facts["memory"]["available_bytes"] == 2711 * 1024 * 1024
    assert facts["disks"][0] == {
        "mount": "/", "device": "/dev/vda1", "fstype": "ext4", "total_bytes": 40 * 1024**3,
        "available_bytes": int(40 * 1024**3 * 0.29), "used_percent": 71.0,
    }  # fmt: skip


def test_slowest_task(weekly: RunSummary) -> None:
    slowest = weekly.slowest(1)[0]
    assert (slowest.task.title, slowest.host, slowest.slowest, slowest.hosts) == (
        "package_updates : Upgrade",
        "cache1",
        20.1,
        4,
    )


def test_json_keeps_its_schema(weekly: RunSummary) -> None:
    data = json.loads(summary_text(weekly))
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(data, schema())
    assert set(data["hosts"]) == set(HOSTS)
    assert data["maintenance"]["bytes_freed"] == 2 * 156_237_824 + 966_367_642
    assert len(data["maintenance"]["packages_updated"]) == 6
    assert data["maintenance"]["postgres"][0]["after"]["dead_tuples"] == 0


def test_json_of_an_empty_run_keeps_its_schema() -> None:
    for events in (
        [],
        [started()],
        [started(check=True), RunFinished(at=START, run_id="r1", outcome="ok", exit_code=0, duration=0)],
    ):
        jsonschema.validate(json.loads(summary_text(RunSummary.from_events(events))), schema())


def test_every_schema_key_is_described() -> None:
    described = schema()["properties"]
    assert len(described) == 15
    assert all("description" in part or "const" in part for part in described.values())


def test_json_survives_what_hosts_send() -> None:
    odd = {"a": float("nan"), "b": {1: {2, 3}}, "c": "\ud800", "d": object, "e": b"x"}
    events = [started(), StatsSet(at=START, host="h", data=odd), Notice(at=START, level="warning", message="m")]
    data = json.loads(summary_text(RunSummary.from_events(events)))
    jsonschema.validate(data, schema())
    assert data["stats"]["hosts"]["h"]["a"] is None
    assert plain({"x": float("inf")}) == {"x": None}


# Verdicts


@pytest.mark.parametrize(
    ("outcome", "levels", "expected"),
    [
        ("ok", [], "ok"), ("ok", ["ok"], "ok"), ("ok", ["ok", "warn"], "warn"), ("ok", ["crit", "warn"], "crit"),
        ("failed", [], "crit"), ("interrupted", [], "crit"), ("error", [], "crit"),
    ],
)  # fmt: skip
def test_overall_verdict(outcome: str, levels: list[str], expected: str) -> None:
    data = {"verdicts": [{"check": "c", "level": level} for level in levels]}
    end = RunFinished(at=START, run_id="r1", outcome=outcome, exit_code=0, duration=1)
    assert RunSummary.from_events([started(), StatsSet(at=START, host="h", data=data), end]).verdict == expected


def test_a_run_without_an_end_is_interrupted() -> None:
    summary = RunSummary.from_events(weekly_run()[:-1])
    assert (summary.outcome, summary.verdict) == ("interrupted", "crit")
    assert summary.duration > 10


def test_verdict_shapes() -> None:
    assert [(v.check, v.level) for v in verdicts_from({"disk": "warning", "load": {"level": "ok"}}, "h")] == [
        ("disk", "warn"),
        ("load", "ok"),
    ]
    assert verdicts_from([{"name": "x", "level": "nonsense", "host": "other"}, "odd"], "h")[0].host == "other"
    assert verdicts_from("odd", "h") == []
    assert [level_of(word) for word in ("PASS", "Critical", True, None, "okay?")] == [
        "ok",
        "crit",
        "ok",
        "warn",
        "warn",
    ]


# set_stats


def test_set_stats_aggregates_as_documented() -> None:
    stats = RunStats()
    stats.add("", {"n": 1, "list": [1], "map": {"a": 1, "deep": {"x": 1}}, "text": "a", "kind": 1}, True)
    stats.add("", {"n": 2, "list": [2], "map": {"b": 2, "deep": {"y": 2}}, "text": "b", "kind": "x"}, True)
    assert stats.by_host[""] == {
        "n": 3, "list": [1, 2], "map": {"a": 1, "b": 2, "deep": {"x": 1, "y": 2}}, "text": "ab", "kind": "x",
    }  # fmt: skip
    stats.add("", {"n": 10}, False)
    assert stats.by_host[""]["n"] == 10
    assert merged(True, False) is False


def test_documented_keys_take_every_documented_shape() -> None:
    stats = RunStats()
    stats.add("h1", {"packages_updated": ["a", "b"], "logs_rotated": 3, "bytes_freed": {"tmp": 5, "logs": 7}}, True)
    stats.add("h2", {"packages_updated": {"c": {"to": "2"}}, "backups": [{"name": "x", "host": "elsewhere"}]}, True)
    stats.add("h3", {"postgres": {"before": {"size_bytes": 9}, "after": {"size_bytes": 4}}}, True)
    stats.add("h4", {"postgres": {"shop": {"before": {"t": {"bloat_pct": 2.5}}, "after": {}}}, "mine": 1}, True)
    found = maintenance(stats)
    assert [(row["host"], row["name"]) for row in found["packages_updated"]] == [("h1", "a"), ("h1", "b"), ("h2", "c")]
    assert found["bytes_freed"] == 12
    assert found["logs_rotated"] == [{"count": 3, "host": "h1"}]
    assert found["backups"] == [{"name": "x", "host": "elsewhere"}]
    assert [(p["host"], p["database"], p["before"]) for p in found["postgres"]] == [
        ("h3", "", {"size_bytes": 9}), ("h4", "shop", {"t.bloat_pct": 2.5}),
    ]  # fmt: skip
    assert stats.other() == {"h4": {"mine": 1}}


def test_wrong_shapes_raise_nothing() -> None:
    stats = RunStats()
    for value in (None, 1.5, "x", [1], {"a": None}, [[]], True):
        stats.add(
            "h",
            dict.fromkeys(
                ("packages_updated", "logs_rotated", "bytes_freed", "postgres", "backups", "verdicts"), value
            ),
            False,
        )
        assert isinstance(maintenance(stats)["bytes_freed"], int)


# Check mode and journal


def test_coverage_of_a_check_run() -> None:
    def end(task: str, status: str, **result: object) -> HostFinished:
        return HostFinished(at=START, task_id=task, host="h", status=status, result=result, duration=0)

    tasks = [TaskStarted(at=START, task_id=f"t{n}", task="t", action="command", where="p.yml:1:1") for n in range(5)]
    ends = [
        end("t0", "ok"), end("t1", "changed", changed=True), end("t2", "skipped", msg="skipped, running in check mode"),
        end("t3", "skipped", skip_reason="Conditional result was False"), end("t4", "unknown", unknown_because="it depends on t2"),
    ]  # fmt: skip
    summary = RunSummary.from_events([started(check=True), *tasks, *ends])
    assert summary.coverage is not None
    found = summary.coverage.as_json()
    assert {name: found[name] for name in ("predicted", "skipped", "unknown", "tasks", "percent")} == {
        "predicted": 3, "skipped": 1, "unknown": 1, "tasks": 5, "percent": 60}  # fmt: skip
    assert [(entry["where"], entry["because"], entry["hosts"]) for entry in found["rest"]] == [("p.yml:1:1", "it depends on t2", ["h"])]
    assert summary.failures == [] and summary.totals.bad == 0, "not to know is no fault"
    text = plain_text(summary_lines(summary, 80))
    assert "  predicted 3 of 5 tasks (60 %)\n  unknown  t  h\n    it depends on t2\n" in text
    assert RunSummary.from_events([started(), *tasks, *ends]).coverage is None


def test_journal_with_a_torn_last_line(tmp_path: Path, weekly: RunSummary) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [json.dumps(event.as_json()) for event in weekly_run()]
    path.write_text("\n".join(lines) + "\n")
    assert RunSummary.from_journal(path).as_json() == weekly.as_json()
    path.write_text("\n".join(lines)[:-20])
    assert RunSummary.from_journal(path).outcome == "interrupted"
    path.write_text('{"event": "FromTheFuture", "at": 1}\nnonsense\n' + lines[0] + "\n")
    assert RunSummary.from_journal(path).start == event_from_json(json.loads(lines[0]))
