"""`opsplay verify`: testinfra's tests against the inventory, over the connections of a run."""

from __future__ import annotations

from typing import Any

import click

from opsplay.cli.run_options import connection_options, inventory_options, variable_options


@click.command("verify", context_settings={"help_option_names": ["-h", "--help"], "ignore_unknown_options": False})
@click.argument("paths", nargs=-1)
@inventory_options
@variable_options
@connection_options
@click.option("-H", "--hosts", metavar="PATTERN", default="", help="Test these hosts, whatever the test files name.")
@click.option("--junit", metavar="FILE", default="", help="Write JUnit XML for CI.")
@click.option("-v", "--verbose", count=True, help="One line for each test; repeatable.")
def verify(paths: tuple[str, ...], hosts: str, junit: str, verbose: int, **flags: Any) -> int:
    """Prove with testinfra that hosts are as they should be.

    PATHS are files or folders of tests [default: roles/*/tests]. What follows `--` goes to pytest.
    """
    from opsplay.cli.launching import run_for, settings_for
    from opsplay.verify.connections import HostConnections
    from opsplay.verify.session import Verification, verify

    given, arguments = split_arguments(paths)
    work, _ = run_for(flags, settings_for(flags))
    wanted = Verification(given, hosts, junit, ("-" + "v" * verbose, *arguments) if verbose else arguments)
    return verify(wanted, HostConnections(work))


def split_arguments(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(paths, pytest's arguments): click drops the `--` itself, so the first word with a dash begins pytest's."""
    first = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    return words[:first], words[first:]
