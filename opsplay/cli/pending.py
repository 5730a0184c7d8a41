"""Pending handlers on the command line: told before a run, run by it where that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opsplay.events import HandlerPending

if TYPE_CHECKING:
    from opsplay.engine.launch import Prepared
    from opsplay.settings import Settings

SHOWN = 6  # hosts of one line


def recall(prepared: Prepared, settings: Settings) -> None:
    """Give the run what earlier runs of its playbooks left on its hosts, and a warning that says so."""
    from opsplay.history.pending_handlers import PendingStore
    from opsplay.history.state_dir import state_dir

    run = prepared.run
    files = {str(Path(play.playbook).absolute()) for book, _ in prepared.playbooks for play in book.plays}
    hosts = set(run.inventory.select("all", run.options.limit, lambda text: None))
    left = PendingStore(state_dir(settings.state_dir), files).before
    run.pending = tuple(event for event in left if event.host in hosts)
    if run.pending:
        run.settings = run.settings.with_(warnings=(*run.settings.warnings, warning(run.pending, run.options.run_pending_handlers)))


def warning(pending: Sequence[HandlerPending], to_run: bool) -> str:
    lines = ["Handlers that earlier runs notified have not run:", *(f"  {line}" for line in texts(pending))]
    then = "They run after the tasks of their plays." if to_run else "Run them with --run-pending-handlers; without it they stay on this list."
    return "\n".join([*lines, then])


def texts(pending: Sequence[HandlerPending]) -> list[str]:
    """`Restart nginx: web1, web2 (run ID)`: a line for each handler and run."""
    from opsplay.report.pending_handlers import PendingHandlers

    fold = PendingHandlers()
    for event in pending:
        fold(event)
    return [f"{handler}: {names(hosts)} (run {run_id})" for (handler, run_id, _), hosts in fold.grouped().items()]


def names(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else ""
    return ", ".join(hosts[:SHOWN]) + more
