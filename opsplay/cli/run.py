"""opsplay run: playbooks on an inventory, with progress, a summary, a journal and reports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from opsplay.cli.completing import FILE
from opsplay.cli.run_options import (
    connection_options,
    inventory_options,
    listing_options,
    mode_options,
    tag_options,
    variable_options,
)


@click.command("run", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("playbooks", nargs=-1, required=True, type=FILE)
@inventory_options
@tag_options
@variable_options
@mode_options
@connection_options
@listing_options
@click.option(
    "-o",
    "--report",
    "reports",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="Write the summary: .html, .json, .md, .xml (JUnit), .txt.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show changes, failures and the summary only.")
@click.option("--profile", is_flag=True, help="Print at the end where each task's time went.")
@click.option(
    "--max-fail",
    metavar="LIMIT",
    help="Stop once more hosts of the whole run than this, e.g. 3 or 10%, have failed or are unreachable.",
)
@click.option("--run-pending-handlers", is_flag=True, help="Run the handlers that earlier runs notified and did not run.")
@click.option("--no-history", is_flag=True, help="Leave this run out of the history.")
def run(
    playbooks: tuple[str, ...], reports: tuple[str, ...], quiet: bool, no_history: bool, profile: bool, **flags: Any
) -> int:
    """Run PLAYBOOKS against an inventory."""
    from opsplay.cli.launching import playbook_paths, run_for, settings_for
    from opsplay.engine.launch import prepare

    settings = settings_for(flags)
    playbooks = playbook_paths(playbooks, settings)
    folder = Path(playbooks[0]).parent.absolute()
    work, vault = run_for(flags, settings, folder)
    prepared = prepare(work, playbooks, vault)
    if not no_history:
        from opsplay.cli.pending import recall

        recall(prepared, settings)
    if any(flags[name] for name in ("list_hosts", "list_tasks", "list_tags", "syntax_check")):
        from opsplay.cli.listings import show_listing

        return show_listing(prepared, flags)
    if not profile:
        return recorded(prepared, settings, reports, quiet, no_history)
    return profiled(prepared, lambda: recorded(prepared, settings, reports, quiet, no_history))


def profiled(prepared: Any, going: Callable[[], int]) -> int:
    """The same, with a table of waiting, network, remote and templating behind it."""
    from opsplay.engine.profile import Profile

    profile = prepared.run.profile = Profile(prepared.run.templar)
    try:
        return going()
    finally:
        sys.stdout.write("\n".join(["", *profile.lines(), ""]))


def recorded(prepared: Any, settings: Any, reports: tuple[str, ...], quiet: bool, no_history: bool) -> int:
    """Run it with progress, journal, reports and history; the exit code."""
    from opsplay import signals
    from opsplay.cli.listening import with_asked_for
    from opsplay.engine.launch import execute
    from opsplay.report.summary import RunSummary
    from opsplay.report.terminal import progress_for

    summary = RunSummary()
    progress = progress_for(summary, verbosity=settings.verbosity, quiet=quiet)
    listeners: list[Any] = [summary, progress]
    if not no_history:
        from opsplay.history.journal import Journal
        from opsplay.history.pending_handlers import PendingStore
        from opsplay.history.state_dir import state_dir

        state = state_dir(settings.state_dir)
        listeners[:0] = [Journal(state, prepared.run_id), PendingStore(state)]
    ask = prepared.run.asker

    def ask_alone(*question: Any) -> Any:
        with progress.suspended():
            return ask(*question)

    prepared.run.asker = ask_alone if ask else None
    if settings.live_output >= 0 and not quiet:
        prepared.run.live_after = float(settings.live_output)
    try:
        return execute(prepared, with_asked_for(prepared.run.settings, listeners))
    finally:
        signals.hold_off()  # the run is over: an interrupt now must not cost its record
        progress.close()
        keep(summary, settings, reports, no_history)


def keep(summary: Any, settings: Any, reports: tuple[str, ...], no_history: bool) -> None:
    from opsplay.report.write import write_reports

    if summary.start is None:
        return
    for path in write_reports(summary, reports):
        sys.stderr.write(f"wrote {path}\n")
    if not no_history:
        from opsplay.history.record import record
        from opsplay.history.state_dir import state_dir

        record(summary, settings.history_url or state_dir(settings.state_dir) / "history.sqlite3")
