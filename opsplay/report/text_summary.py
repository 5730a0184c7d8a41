"""The run summary as lines of styled text, for terminals of any width and for plain files."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from opsplay.report.counts import Counts
from opsplay.report.quantities import bytes_text, clock_text, metric_text, metric_title, seconds_text
from opsplay.report.result_text import printable
from opsplay.report.run_stats import how_many, maintenance
from opsplay.report.summary import RunSummary
from opsplay.report.task_records import ChangeGroup

Line = list[tuple[str, str]]  # (style, text) pieces; a style is a key of STYLES or empty
STYLES = {
    "title": "1", "dim": "2", "ok": "32", "changed": "33", "warn": "33", "skipped": "36", "failed": "31", "crit": "31;1",
    "unreachable": "31;1", "unknown": "35", "rescued": "33", "ignored": "36", "add": "32", "remove": "31", "hunk": "36",
}  # fmt: skip
MARKS = {"ok": "✓", "warn": "▲", "crit": "✗"}
DIFF_LINES = 12  # shown of one diff; the other reports have them whole
ROWS = 20  # shown of one list


def summary_lines(summary: RunSummary, width: int = 100, next_step: str = "", diffs: bool = True) -> Iterator[Line]:
    """The whole summary, section by section; empty sections are left out."""
    yield []
    yield from _hosts(summary, width)
    yield from _failures(summary, width)
    yield from _changes(summary, width, diffs)
    yield from _maintenance(summary, width)
    yield from _verdicts(summary, width)
    yield from _pending(summary, width)
    yield from _coverage(summary, width)
    yield from _ending(summary, next_step, width)


def plain_text(lines: Iterable[Line]) -> str:
    return "".join("".join(text for _, text in line).rstrip() + "\n" for line in lines)


def ansi_text(lines: Iterable[Line]) -> str:
    return "".join("".join(_ansi(style, text) for style, text in line) + "\n" for line in lines)


def _ansi(style: str, text: str) -> str:
    code = STYLES.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if code and text else text


def _title(text: str, note: str = "") -> Iterator[Line]:
    yield []
    yield [("title", text), ("dim", f"  {note}" if note else "")]


# Hosts


COLUMNS = (("ok", "ok"), ("changed", "changed"), ("skipped", "skipped"), ("failed", "failed"), ("unreachable", "unreach"),
           ("rescued", "rescued"), ("ignored", "ignored"))  # fmt: skip


def _hosts(summary: RunSummary, width: int) -> Iterator[Line]:
    yield [("title", "Hosts")]
    names = list(summary.hosts)
    if not names:
        yield [("dim", "  no task ran on any host")]
        return
    longest = max(map(len, names))
    narrow = longest + 2 + sum(len(title) + 2 for _, title in COLUMNS) + 10 > width
    if not narrow:
        heads = "".join(f"  {title}" for _, title in COLUMNS)
        yield [("dim", f"  {'':{longest}}{heads}      time")]
    for name in names:
        host = summary.hosts[name]
        yield _narrow_host(name, host.counts) if narrow else _host(name.ljust(longest), host.counts, host.seconds)


def _host(name: str, counts: Counts, seconds: float) -> Line:
    cells: Line = [("", "  "), (counts.status, printable(name))]
    for key, title in COLUMNS:
        number = getattr(counts, key) + (counts.unknown if key == "unreachable" else 0)
        cells.append((key if number else "dim", f"  {number:>{len(title)}}"))
    return [*cells, ("dim", f"  {seconds_text(seconds):>8}")]


def _narrow_host(name: str, counts: Counts) -> Line:
    """For 40 columns: only the counts that are not zero."""
    line: Line = [("", "  "), (counts.status, printable(name)), ("", ":")]
    for key, _ in (*COLUMNS, ("unknown", "")):
        if getattr(counts, key):
            line.append((key, f" {key}={getattr(counts, key)}"))
    return line


# Failures and changes


def _failures(summary: RunSummary, width: int) -> Iterator[Line]:
    failures = summary.failure_groups()
    if not failures:
        return
    handled = all(group.outcome in ("ignored", "rescued") for group in failures)
    yield from _title("Failures", "all ignored or rescued" if handled else "")
    for group in failures[:ROWS]:
        head = f"{group.outcome} {printable(_names(group.hosts))}"
        yield [("", "  "), (group.outcome, head), ("", f"  {printable(group.task.title)}")]
        yield [("dim", f"    {printable(group.task.where)}")]
        for text in _wrapped(printable(group.message), width - 4):
            yield [("", f"    {text}")]
    yield from _more(len(failures))


def _changes(summary: RunSummary, width: int, diffs: bool) -> Iterator[Line]:
    groups = summary.change_groups()
    if not groups:
        return
    word = "would change" if summary.check else "changed"
    yield from _title(
        "What " + word, f"{summary.totals.changed} on {sum(h.counts.changed > 0 for h in summary.hosts.values())} hosts"
    )
    for group in groups[:ROWS]:
        hosts = printable(_names(group.hosts))
        yield [("", "  "), ("changed", printable(group.task.title)), ("dim", f"  {group.task.module}  "), ("", hosts)]
        if diffs:
            yield from _diff(group, width)
    yield from _more(len(groups))


def _diff(group: ChangeGroup, width: int) -> Iterator[Line]:
    lines = group.diff.splitlines()
    for line in lines[:DIFF_LINES]:
        style = {"+": "add", "-": "remove", "@": "hunk"}.get(line[:1], "dim")
        text = printable(line)
        yield [(style, f"    {text[: width - 5] + '…' if len(text) > width - 4 else text}")]
    if len(lines) > DIFF_LINES:
        yield [("dim", f"    … {len(lines) - DIFF_LINES} more lines")]


def _names(hosts: tuple[str, ...], limit: int = 6) -> str:
    rest = f" and {len(hosts) - limit} more" if len(hosts) > limit else ""
    return ", ".join(hosts[:limit]) + rest


# Maintenance figures and verdicts


def _maintenance(summary: RunSummary, width: int) -> Iterator[Line]:
    lines = list(_figures(summary))
    if lines:
        yield from _title("Maintenance")
        for line in lines[: 3 * ROWS]:
            for number, text in enumerate(_wrapped(line, width - 2)):
                yield [("", f"  {'  ' if number else ''}{text}")]


def _figures(summary: RunSummary) -> Iterator[str]:
    figures = maintenance(summary.stats)
    if figures["bytes_freed"]:
        yield f"freed: {bytes_text(figures['bytes_freed'])}"
    for key, title in (("packages_updated", "packages updated"), ("logs_rotated", "logs rotated")):
        if figures[key]:
            yield f"{title}: {how_many(figures[key])}"
    for row in figures["postgres"]:
        for name in {**row["before"], **row["after"]}:
            before, after = row["before"].get(name), row["after"].get(name)
            if before != after:
                place = " ".join(part for part in (row["host"], row["database"]) if part)
                yield printable(
                    f"{place}: {metric_title(name)} {metric_text(name, before)} → {metric_text(name, after)}"
                )
    for host, data in summary.stats.other().items():
        for key, value in data.items():
            shown = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
            yield printable(f"{host + ': ' if host else ''}{key}: {shown[:200]}")


def _verdicts(summary: RunSummary, width: int) -> Iterator[Line]:
    verdicts = summary.verdicts
    if not verdicts:
        return
    counted = ", ".join(f"{sum(v.level == level for v in verdicts)} {level}" for level in ("crit", "warn", "ok"))
    yield from _title("Verdicts", counted)
    for verdict in verdicts[:ROWS]:
        text = " ".join(part for part in (verdict.host, verdict.check) if part)
        first, *rest = _wrapped(printable(f"{text}: {verdict.message}" if verdict.message else text), width - 9)
        yield [("", "  "), (verdict.level, f"{MARKS[verdict.level]} {verdict.level:<4} "), ("", first)]
        for more in rest:
            yield [("", f"         {more}")]
    yield from _more(len(verdicts))


def _pending(summary: RunSummary, width: int) -> Iterator[Line]:
    groups = summary.pending.grouped()
    if not groups:
        return
    yield from _title("Handlers not run", "notified, but not run")
    for (handler, run_id, since), hosts in list(groups.items())[:ROWS]:
        own = summary.start is not None and run_id == summary.start.run_id
        line: Line = [("", "  "), ("warn", printable(handler)), ("", f"  {printable(_names(tuple(hosts)))}")]
        yield line if own else [*line, ("dim", f"  since {clock_text(since)[:16]}, run {run_id}")]
    yield from _more(len(groups))
    yield from ([("dim", f"  {text}")] for text in _wrapped("The next run of the playbook runs them with --run-pending-handlers.", width - 2))


def _coverage(summary: RunSummary, width: int) -> Iterator[Line]:
    if coverage := summary.coverage:
        yield from _title("Check mode", "nothing was changed")
        yield [("", f"  {coverage_text(summary)}")]
        for entry in coverage.rest[:ROWS]:
            yield [("", "  "), ("unknown", "unknown"), ("", f"  {printable(entry.task.title)}"), ("dim", f"  {printable(_names(entry.hosts))}")]
            for text in _wrapped(printable(entry.because), width - 4):
                yield [("dim", f"    {text}")]
        yield from _more(len(coverage.rest))


def coverage_text(summary: RunSummary) -> str:
    """`predicted 57 of 60 tasks (95 %)`; tasks on several hosts count on each."""
    coverage = summary.coverage
    if coverage is None:
        return ""
    hosts = f" on {len(summary.hosts)} hosts" if len(summary.hosts) > 1 else ""
    return f"predicted {coverage.predicted} of {coverage.tasks} tasks{hosts} ({coverage.percent} %)"


def _ending(summary: RunSummary, next_step: str, width: int) -> Iterator[Line]:
    level = summary.verdict
    start = f"{MARKS[level]} {level.upper()}"
    counts = summary.totals
    facts = f"{len(summary.hosts)} hosts, {counts.ok} ok, {counts.changed} changed, {counts.bad} failed, {seconds_text(summary.duration)}"
    yield []
    if len(start) + len(facts) + len(summary.outcome) + 6 <= width:
        yield [(level, start), ("", f"  {summary.outcome} · {facts}")]
    else:
        yield [(level, start), ("", f"  {summary.outcome}")]
        for text in _wrapped(facts, width - 2):
            yield [("", f"  {text}")]
    if summary.start:
        yield [
            ("dim", f"  run {summary.start.run_id}"),
            ("dim", f", began {clock_text(summary.start.at)}" if width >= 80 else ""),
        ]
    if summary.end and summary.end.error:
        for text in _wrapped(printable(summary.end.error), width - 2):
            yield [("failed", f"  {text}")]
    for text in next_step.splitlines():
        yield [("", f"  {text}")]


def _more(number: int) -> Iterator[Line]:
    if number > ROWS:
        yield [("dim", f"  … {number - ROWS} more")]


def _wrapped(text: str, width: int) -> list[str]:
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, max(20, width)) or [""]]
    return lines or [""]
