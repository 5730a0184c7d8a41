"""opsplay exec: one module on the hosts of a pattern, recorded like any run."""

from __future__ import annotations

import sys
from typing import Any

import click

from opsplay.cli.completing import FILE, hosts
from opsplay.cli.run_options import connection_options, inventory_options, mode_options, variable_options
from opsplay.cli.single_module import module_options


@click.command("exec", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pattern", shell_complete=hosts)
@module_options
@inventory_options
@variable_options
@mode_options
@connection_options
@click.option("--one-line", is_flag=True, help="One line a host.")
@click.option("-o", "--report", "reports", multiple=True, type=FILE, metavar="FILE", help="Write the summary: .html, .json, .md, .xml, .txt.")
@click.option("--no-history", is_flag=True, help="Leave this run out of the history.")
def exec_(pattern: str, one_line: bool, reports: tuple[str, ...], no_history: bool, **flags: Any) -> int:
    """Run one module on the hosts of PATTERN: opsplay exec web -m service -a 'name=nginx state=restarted'."""
    from opsplay.cli.launching import run_for, settings_for
    from opsplay.cli.single_module import folder_of, list_hosts, matching_hosts, prepare_module

    settings = settings_for(flags)
    folder = folder_of(flags, settings)
    run, vault = run_for(flags, settings, folder)
    hosts = matching_hosts(run, pattern)
    if flags["list_hosts"]:
        return list_hosts(hosts)
    prepared = prepare_module(run, vault, pattern, flags, folder, f"exec {flags['module']}")
    return executed(prepared, settings, flags["module"], one_line, reports, no_history)


def executed(
    prepared: Any, settings: Any, module: str, one_line: bool, reports: tuple[str, ...], no_history: bool
) -> int:
    from opsplay.cli.listening import with_asked_for
    from opsplay.cli.run import keep
    from opsplay.engine.launch import execute
    from opsplay.report.adhoc import AdhocOutput
    from opsplay.report.output import Output
    from opsplay.report.summary import RunSummary

    summary = RunSummary()
    output = AdhocOutput(Output(sys.stdout), Output(sys.stderr), module, verbosity=settings.verbosity, one_line=one_line)
    listeners: list[Any] = [summary, output]
    if sys.stderr is not None and sys.stderr.isatty() and settings.live_output >= 0:
        prepared.run.live_after = float(settings.live_output)
    if not no_history:
        from opsplay.history.journal import Journal
        from opsplay.history.state_dir import state_dir

        listeners.insert(0, Journal(state_dir(settings.state_dir), prepared.run_id))
    try:
        return execute(prepared, with_asked_for(settings, listeners))
    finally:
        keep(summary, settings, reports, no_history)
