"""The drop-in for `ansible`: one module on the hosts of a pattern, with Ansible's flags, output and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from opsplay.cli.run_options import connection_options, inventory_options, mode_options, variable_options
from opsplay.cli.single_module import module_options


@click.command("ansible", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pattern", required=False)
@module_options
@inventory_options
@variable_options
@mode_options
@connection_options
@click.option("-o", "--one-line", is_flag=True, help="One line a host.")
@click.option("-t", "--tree", metavar="FOLDER", help="Write each host's result into a file here.")
@click.option("-M", "--module-path", multiple=True, help="Folders with modules.")
@click.option("--version", is_flag=True)
def adhoc(pattern: str | None, one_line: bool, tree: str | None, version: bool, module_path: tuple[str, ...], **flags: Any) -> int:
    """Run one module on the hosts of PATTERN."""
    from opsplay.cli.ansible import compatible_settings, show_version
    from opsplay.cli.launching import run_for
    from opsplay.cli.single_module import folder_of, list_hosts, matching_hosts, prepare_module

    if version:
        return show_version("ansible")
    if not pattern:
        raise click.UsageError("the following arguments are required: pattern")
    settings = compatible_settings(flags, module_path)
    folder = folder_of(flags, settings)
    run, vault = run_for(flags, settings, folder)
    hosts = matching_hosts(run, pattern)
    if flags["list_hosts"]:
        return list_hosts(hosts)
    prepared = prepare_module(run, vault, pattern, flags, folder, "Ansible Ad-Hoc")
    if not hosts:
        click.echo("[WARNING]: No hosts matched, nothing to do", err=True)
        return 0
    one_line = one_line or (settings.load_callback_plugins and settings.stdout_callback.rpartition(".")[2] == "oneline")
    return shown(prepared, settings, flags["module"], one_line, Path(tree) if tree else None)


def shown(
    prepared: Any, settings: Any, module: str, one_line: bool, tree: Path | None, listeners: Sequence[Any] = ()
) -> int:
    from opsplay.cli.listening import with_asked_for
    from opsplay.engine.launch import execute
    from opsplay.report.adhoc import AdhocOutput
    from opsplay.report.output import Output

    quiet = settings.nocolor or (not settings.force_color and not sys.stdout.isatty())
    environ = {**os.environ, **({"NO_COLOR": "1"} if quiet else {})}
    output, errors = Output(sys.stdout, environ), Output(sys.stderr, environ)
    shown = AdhocOutput(output, errors, module, verbosity=settings.verbosity, one_line=one_line, tree=tree)
    code = execute(prepared, with_asked_for(settings, [shown, *listeners]))
    return 99 if code == 130 else code
