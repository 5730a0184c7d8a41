"""`opsplay history`: list runs, show one, compare two, find a run's files."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.errors import Fault, OpsError

if TYPE_CHECKING:
    from opsplay.events import HandlerPending
    from opsplay.history.queries import History, RunRow


@click.group("history")
@click.option(
    "--state", metavar="FOLDER", help="The state folder [default: $OPSPLAY_STATE, ./.opsplay or ~/.local/state/opsplay]"
)
@click.option(
    "--database",
    metavar="URL",
    help="The database: a file or postgresql://... [default: history.sqlite3 in the state folder]",
)
@click.pass_context
def history(context: click.Context, state: str | None, database: str | None) -> None:
    """Which runs there were and what they did."""
    context.obj = (state, database)


def open_history(context: click.Context) -> History:
    from opsplay.history.queries import History
    from opsplay.history.state_dir import state_dir
    from opsplay.settings import load_settings

    state, database = context.obj
    settings = load_settings()
    return History(state_dir(state or settings.state_dir), database or settings.history_url)


@history.command("list")
@click.option("--host", default="", help="Only runs that had results on this host.")
@click.option("--playbook", default="", help="Only runs of this playbook (its path or the end of it).")
@click.option(
    "--outcome",
    default="",
    help="Only runs that ended so: ok, failed, unreachable, interrupted, error, running, warn, crit.",
)
@click.option("--since", default="", metavar="WHEN", help="Only runs since then: 7d, 12h, 30m, or 2026-11-01[T08:00].")
@click.option("-n", "--limit", default=20, show_default=True, help="At most so many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def list_runs(
    context: click.Context, host: str, playbook: str, outcome: str, since: str, limit: int, as_json: bool
) -> None:
    """List runs, the newest first."""
    from opsplay.history.queries import RunFilter

    rows = open_history(context).runs(RunFilter(host, playbook, outcome, since_text(since), limit))
    if as_json:
        _write(json.dumps([row.as_json() for row in rows], indent=2) + "\n")
    else:
        _write(_list_text(rows))


@history.command("show")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON summary.")
@click.option(
    "--report", "reports", multiple=True, metavar="FILE", help="Write a report too: .html, .json, .md, .xml, .txt."
)
@click.pass_context
def show(context: click.Context, run: str, as_json: bool, reports: tuple[str, ...]) -> None:
    """Show one run's summary. RUN is its id, the beginning of it, or `last`."""
    past = open_history(context)
    run_id = past.find(run)
    summary = past.summary(run_id)
    if summary is None:
        _show_recorded(past, run_id, as_json)
        return
    if reports:
        from opsplay.report.write import write_reports

        write_reports(summary, reports)
    if as_json:
        from opsplay.report.summary_json import summary_text

        _write(summary_text(summary))
    else:
        _write_summary(summary)


@history.command("compare")
@click.argument("first")
@click.argument("second", default="last")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def compare_runs(context: click.Context, first: str, second: str, as_json: bool) -> None:
    """Show how two recorded runs differ: outcomes and numbers."""
    from opsplay.history.comparison import compare

    past = open_history(context)
    runs = [past.recorded(past.find(name)) for name in (first, second)]
    if runs[0] is None or runs[1] is None:
        raise OpsError("run-not-recorded", "a run that did not finish has no record to compare", fault=Fault.USAGE)
    found = compare(runs[0], runs[1])
    _write(json.dumps(found.as_json(), indent=2) + "\n" if as_json else _comparison_text(found))


@history.command("handlers")
@click.option("--host", default="", help="Only those of this host.")
@click.option("--playbook", default="", help="Only those of this playbook (its path or the end of it).")
@click.option("--forget", is_flag=True, help="Take them off the list: nothing runs them later.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def handlers(context: click.Context, host: str, playbook: str, forget: bool, as_json: bool) -> None:
    """List the handlers that were notified and have not run."""
    from opsplay.cli.pending import texts
    from opsplay.history.pending_handlers import PendingStore, described

    def chosen(event: HandlerPending) -> bool:
        return host in ("", event.host) and (not playbook or f"/{event.playbook}".endswith(f"/{playbook}"))

    store = PendingStore(open_history(context).state)
    found = [event for event in store.everything() if chosen(event)]
    if as_json:
        _write(json.dumps([described(event) for event in found], indent=2) + "\n")
    else:
        _write("".join(f"{line}\n" for line in texts(found)) or "no handler is pending\n")
    if forget:
        store.forget(found)


@history.command("path")
@click.argument("run", default="last")
@click.pass_context
def path(context: click.Context, run: str) -> None:
    """Print the folder of a run: its journal and reports."""
    past = open_history(context)
    _write(f"{past.journal(past.find(run)).parent}\n")


def since_text(text: str, now: float | None = None) -> float:
    """Seconds since the epoch for `7d`, `12h`, `30m` or a date. Raises OpsError."""
    if not text:
        return 0.0
    if match := re.fullmatch(r"(\d+)\s*([mhdw])", text.strip()):
        seconds = {"m": 60, "h": 3600, "d": 86400, "w": 604800}[match[2]]
        return (time.time() if now is None else now) - int(match[1]) * seconds
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError:
        raise OpsError(
            "bad-time", f"{text!r} is no time", remedy="Say 7d, 12h, 30m or 2026-11-01.", fault=Fault.USAGE
        ) from None


def _list_text(rows: list[RunRow]) -> str:
    from opsplay.report.quantities import clock_text, seconds_text
    from opsplay.report.result_text import printable

    if not rows:
        return "no runs\n"
    lines = [
        f"{'run':<23} {'started':<19}  {'outcome':<11} {'verdict':<7} {'hosts':>5} {'changed':>7} {'failed':>6} {'time':>12}  playbook"
    ]
    for row in rows:
        names = ", ".join(Path(name).name for name in row.playbooks) + (" (check)" if row.check else "")
        lines.append(
            f"{row.run_id:<23} {clock_text(row.started)[:19]}  {row.outcome:<11} {row.verdict:<7} {row.hosts:>5} {row.changed:>7} "
            f"{row.failed:>6} {seconds_text(row.duration):>12}  {printable(names)}"
        )
    return "\n".join(lines) + "\n"


def _show_recorded(past: History, run_id: str, as_json: bool) -> None:
    """What the database has, where the journal is gone or was written on another machine."""
    recorded = past.recorded(run_id)
    assert recorded is not None, "find() names only runs with a journal or a record"
    data: dict[str, Any] = recorded.as_json()
    if as_json:
        _write(json.dumps(data, indent=2) + "\n")
        return
    lines = [
        f"run {run_id}: {recorded.run['outcome']}, {recorded.run['verdict']} (from the database; the journal is not here)"
    ]
    lines += [f"  {host}: " + " ".join(f"{k}={row[k]}" for k in ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"))
              for host, row in recorded.hosts.items()]  # fmt: skip
    lines += [
        f"  {row['outcome']} {row['host']}  {title}: {row['message']}"
        for (title, _), row in recorded.results.items()
        if row["message"]
    ]
    _write("\n".join(lines) + "\n")


def _comparison_text(found: Any) -> str:
    from opsplay.report.quantities import metric_text, seconds_text

    lines = [f"{found.first} -> {found.second}: {seconds_text(found.seconds[0])} -> {seconds_text(found.seconds[1])}"]
    lines += [f"  {host}: only in the first" for host in found.only_first] + [
        f"  {host}: only in the second" for host in found.only_second
    ]
    lines += [f"  {host}  {task}: {then} -> {now}" for task, host, then, now in found.outcomes]
    lines += [
        f"  {host}  {name}: {metric_text(name, then)} -> {metric_text(name, now)}"
        for name, host, then, now in found.metrics
    ]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  no difference"]) + "\n"


def _write_summary(summary: Any) -> None:
    from opsplay.report.output import Output
    from opsplay.report.text_summary import ansi_text, plain_text, summary_lines

    output = Output(sys.stdout)
    lines = summary_lines(summary, output.width)
    output.write(ansi_text(lines) if output.colour else plain_text(lines))


def _write(text: str) -> None:
    from opsplay.report.output import Output

    Output(sys.stdout).write(text)
