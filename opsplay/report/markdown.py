"""The run summary as Markdown, for tickets, chats and daily logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from opsplay.report.counts import NAMES
from opsplay.report.machine_facts import finite
from opsplay.report.quantities import bytes_text, clock_text, metric_text, metric_title, seconds_text
from opsplay.report.result_text import printable
from opsplay.report.run_stats import how_many, maintenance
from opsplay.report.summary import RunSummary
from opsplay.report.task_records import ChangeGroup
from opsplay.report.text_summary import coverage_text

WORDS = {"ok": "OK", "warn": "WARNING", "crit": "CRITICAL"}


def markdown_text(summary: RunSummary) -> str:
    sections = [
        _header(summary), _hosts(summary), _failures(summary), _verdicts(summary), _changes(summary), _pending(summary), _coverage(summary), _figures(summary),
        _postgres(summary), _backups(summary), _slowest(summary), _facts(summary), _notices(summary),
    ]  # fmt: skip
    return "\n\n".join(text for text in ("\n".join(lines) for lines in sections) if text) + "\n"


def _header(summary: RunSummary) -> Iterator[str]:
    start, counts = summary.start, summary.totals
    name = ", ".join(start.playbooks) if start else "a run"
    yield f"# {WORDS[summary.verdict]}: {cell(name)}"
    yield ""
    yield (
        f"Outcome **{summary.outcome}** in {seconds_text(summary.duration)}: {len(summary.hosts)} hosts, {counts.ok} ok, "
        f"{counts.changed} changed, {counts.bad} failed."
    )
    if start:
        yield ""
        yield from _table(("", ""), [
            ("Run", start.run_id), ("Operator", f"{start.operator} on {start.controller}"), ("Began", clock_text(start.at)),
            ("Inventory", ", ".join(start.inventory)), ("Revision", start.revision or "none"),
            ("Mode", "check: nothing was changed" if start.check else "real"),
        ])  # fmt: skip
    if summary.end and summary.end.error:
        yield ""
        yield f"Error: {cell(summary.end.error)}"


def _hosts(summary: RunSummary) -> Iterator[str]:
    if summary.hosts:
        yield "## Hosts"
        yield ""
        rows = [
            (h.name, *(getattr(h.counts, name) for name in NAMES), seconds_text(h.seconds))
            for h in summary.hosts.values()
        ]
        yield from _table(("host", *NAMES, "time"), rows)


def _failures(summary: RunSummary) -> Iterator[str]:
    if summary.failures:
        yield "## Failures"
        yield ""
        rows = [(", ".join(g.hosts), g.task.title, g.outcome, g.message, g.task.where) for g in summary.failure_groups()]
        yield from _table(("hosts", "task", "outcome", "why", "where"), rows)


def _verdicts(summary: RunSummary) -> Iterator[str]:
    if summary.verdicts:
        yield "## Verdicts"
        yield ""
        yield from _table(
            ("level", "host", "check", "message"), [(v.level, v.host, v.check, v.message) for v in summary.verdicts]
        )


def _changes(summary: RunSummary) -> Iterator[str]:
    groups = summary.change_groups()
    if groups:
        yield "## What would change" if summary.check else "## What changed"
    for group in groups:
        yield ""
        yield from _change(group)


def _change(group: ChangeGroup) -> Iterator[str]:
    yield f"- **{cell(group.task.title)}** ({cell(group.task.module)}) on {cell(', '.join(group.hosts))}"
    if group.diff:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", group.diff)), default=0))
        yield ""
        yield f"  {fence}diff"
        yield from (f"  {printable(line)}" for line in group.diff.splitlines())
        yield f"  {fence}"


def _pending(summary: RunSummary) -> Iterator[str]:
    groups = summary.pending.grouped()
    if groups:
        yield "## Handlers notified and not run"
        yield ""
        rows = [(handler, ", ".join(hosts), clock_text(since), run_id) for (handler, run_id, since), hosts in groups.items()]
        yield from _table(("handler", "hosts", "notified", "by run"), rows)


def _coverage(summary: RunSummary) -> Iterator[str]:
    if coverage := summary.coverage:
        yield "## Check mode"
        yield ""
        yield f"{coverage_text(summary)[:1].upper()}{coverage_text(summary)[1:]}."
        if coverage.rest:
            yield ""
            yield from _table(("unknown", "hosts", "why"), [(entry.task.title, ", ".join(entry.hosts), entry.because) for entry in coverage.rest])


def _figures(summary: RunSummary) -> Iterator[str]:
    figures = maintenance(summary.stats)
    rows = [
        ("Freed", bytes_text(figures["bytes_freed"])) if figures["bytes_freed"] else None,
        *((title, str(how_many(figures[key]))) if figures[key] else None
          for key, title in (("packages_updated", "Packages updated"), ("logs_rotated", "Logs rotated"))),
    ]  # fmt: skip
    rows += [
        (f"{host} {key}".strip(), str(value))
        for host, data in summary.stats.other().items()
        for key, value in data.items()
    ]
    shown = [row for row in rows if row]
    if shown:
        yield "## Maintenance"
        yield ""
        yield from _table(("", ""), shown)


def _postgres(summary: RunSummary) -> Iterator[str]:
    entries = maintenance(summary.stats)["postgres"]
    if entries:
        yield "## PostgreSQL, before and after"
        yield ""
        rows = [
            (
                e["host"],
                e["database"],
                metric_title(name),
                metric_text(name, e["before"].get(name)),
                metric_text(name, e["after"].get(name)),
            )
            for e in entries
            for name in {**e["before"], **e["after"]}
        ]
        yield from _table(("host", "database", "", "before", "after"), rows)


def _backups(summary: RunSummary) -> Iterator[str]:
    backups = maintenance(summary.stats)["backups"]
    if backups:
        yield "## Backups"
        yield ""
        keys = ("level", "host", "name", "kind", "age_seconds", "size_bytes", "restored", "message")
        rows = [tuple(_value(key, row.get(key)) for key in keys) for row in backups]
        yield from _table(("level", "host", "name", "kind", "age", "size", "restored", "message"), rows)


def _value(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return metric_text(key, value) if finite(value) else str(value if value is not None else "")


def _slowest(summary: RunSummary) -> Iterator[str]:
    timings = summary.slowest(5)
    if timings:
        yield "## Slowest tasks"
        yield ""
        yield from _table(
            ("task", "slowest host", "time"), [(t.task.title, t.host, seconds_text(t.slowest)) for t in timings]
        )


def _facts(summary: RunSummary) -> Iterator[str]:
    rows = [_fact_row(host.name, host.facts) for host in summary.hosts.values() if host.facts]
    if rows:
        yield "## Machines"
        yield ""
        yield from _table(("host", "os", "up", "load", "memory available", "fullest disk"), rows)


def _fact_row(name: str, facts: dict) -> tuple[str, ...]:  # type: ignore[type-arg]
    memory = facts.get("memory", {})
    disks = sorted(facts.get("disks", []), key=lambda disk: -disk["used_percent"])
    return (
        name,
        str(facts.get("os", "")),
        seconds_text(facts["uptime_seconds"]) if "uptime_seconds" in facts else "",
        " ".join(f"{load:.2f}" for load in facts.get("load", [])),
        f"{bytes_text(memory.get('available_bytes', 0))} of {bytes_text(memory['total_bytes'])}"
        if "total_bytes" in memory
        else "",
        f"{disks[0]['mount']} {disks[0]['used_percent']} %" if disks else "",
    )


def _notices(summary: RunSummary) -> Iterator[str]:
    shown = [notice for notice in summary.notices if notice.level != "info"]
    if shown:
        yield "## Warnings"
        yield ""
        yield from (f"- {cell(' '.join(part for part in (n.host, n.where, n.message) if part))}" for n in shown)


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    titles = list(heads)
    yield f"| {' | '.join(titles)} |"
    yield f"|{' --- |' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(cell(str(value)) for value in row)} |"


def cell(text: str) -> str:
    """Text that stays text in Markdown: on one line, nothing in it means markup, a link or HTML."""
    one_line = " ".join(printable(text).split())
    escaped = re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", one_line)
    return escaped.replace("&", "&amp;").replace("\\<", "&lt;").replace("\\>", "&gt;").replace("://", ":&#47;&#47;")
