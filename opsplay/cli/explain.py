"""opsplay explain: every place that sets a variable for a host, in order, and who wins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.completing import FILE, hosts
from opsplay.cli.run_options import inventory_options, variable_options
from opsplay.errors import Fault, OpsError, did_you_mean

if TYPE_CHECKING:
    from opsplay.engine.run import Run
    from opsplay.variables.origins import Origin
    from opsplay.variables.store import PlayVars

LONGEST = 60


@click.command("explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("host", shell_complete=hosts)
@click.argument("variable")
@click.argument("playbooks", nargs=-1, type=FILE)
@inventory_options
@variable_options
@click.option("-j", "--json", "as_json", is_flag=True, help="As JSON.")
@click.option("-v", "--verbose", count=True, help="Whole values, not their beginnings.")
def explain(host: str, variable: str, playbooks: tuple[str, ...], as_json: bool, verbose: int, **flags: Any) -> int:
    """Show every place that sets VARIABLE for HOST, weakest first, and who wins.

    With PLAYBOOKS also what their plays, roles and tasks set.
    """
    from opsplay.cli.launching import run_for, settings_for

    folder = Path(playbooks[0]).parent.absolute() if playbooks else Path.cwd()
    run, vault = run_for({**flags, "limit": None}, settings_for(flags), folder)
    check_host(run, host)
    views: list[View] = plays_with(run, vault, playbooks, host) if playbooks else [(None, "the inventory")]
    return show(run, host, variable, views, as_json, bool(verbose))


View = tuple["PlayVars | None", str]


def check_host(run: Run, host: str) -> None:
    if not run.store.known(host):
        raise OpsError("no-such-host", f'there is no host "{host}" in the inventory', fault=Fault.USAGE,
                       remedy=f"{did_you_mean(host, list(run.inventory.hosts))} List the hosts with: opsplay inventory graph".strip())  # fmt: skip


def plays_with(run: Run, vault: Any, playbooks: tuple[str, ...], host: str) -> list[View]:
    """The plays that the host is in, each with its variables. Raises OpsError where it is in none."""
    from opsplay.engine.launch import prepare
    from opsplay.engine.play_run import PlayRun
    from opsplay.engine.vars_files import load_vars_files
    from opsplay.templating.layer import VarLayer

    found: list[View] = []
    for book, workshop in prepare(run, playbooks, vault).playbooks:
        for play in book.plays:
            if host not in run.hosts_of(play):
                continue
            workshop.playbook_dir = Path(play.playbook).parent.absolute()
            play_run = PlayRun(run, play, workshop, [host], VarLayer("vars_prompt"))
            load_vars_files(play_run, host, final=False)
            found.append((play_run.vars, f'play "{play.title}" ({play.where})'))
    if not found:
        raise OpsError("host-in-no-play", f"no play of {', '.join(playbooks)} has the host {host}", fault=Fault.USAGE,
                       remedy=f"List its hosts with: opsplay run {playbooks[0]} --list-hosts")  # fmt: skip
    return found


def show(run: Run, host: str, variable: str, views: list[View], as_json: bool, whole: bool) -> int:
    from opsplay.variables.magic import TABLE
    from opsplay.variables.origins import origins

    data: list[dict[str, Any]] = []
    for play, title in views:
        found = origins(run.store, host, variable, play)
        value, trouble = final_value(run, host, variable, play)
        if as_json:
            data.append({"in": title, "origins": [as_data(item) for item in found], "value": value, "error": trouble})
        else:
            click.echo("\n".join(lines_for(host, variable, title, found, value, trouble, whole)) + "\n")
    if as_json:
        import json

        click.echo(json.dumps(data, indent=2, default=str))
    hint_at_names(run, host, variable, views)
    known = any(origins(run.store, host, variable, play) for play, _ in views) or variable in TABLE
    return 0 if known else 1


def hint_at_names(run: Run, host: str, variable: str, views: list[View]) -> None:
    names = {name for play, _ in views for name in run.store.scope(host, play).names()}
    hint = did_you_mean(variable, names) if variable not in names else ""
    if hint:
        click.echo(hint, err=True)


def final_value(run: Run, host: str, variable: str, play: PlayVars | None) -> tuple[Any, str]:
    """(the value as a task would see it, why there is none)."""
    from opsplay.templating.scope import MISSING

    scope = run.store.scope(host, play)
    try:
        if scope.raw(variable) is MISSING:
            return None, "not set before the play runs"
        return run.templar.resolve_plain(variable, scope), ""
    except OpsError as error:
        return None, error.message


def as_data(item: Origin) -> dict[str, Any]:
    return {"place": item.title, "where": str(item.where or ""), "holds": item.when, "value": shown(item.value, True)}


def lines_for(
    host: str, variable: str, title: str, found: list[Origin], value: Any, trouble: str, whole: bool
) -> list[str]:
    lines = [f"{variable} on {host}, in {title}", ""]
    if not found:
        return [*lines, "  nothing sets it" if trouble else "  set by Ansible's language itself (a magic variable)",
                *([] if trouble else [f"  value: {value!r}"])]  # fmt: skip
    steady = [item for item in found if item.when == "always"]
    later = sorted((item for item in found if item.when != "always"), key=lambda item: item.when == "run")
    lines += table(steady, whole, steady[-1] if steady else None)
    if later:
        lines += ["", "  Stronger, where they hold:" if not steady or not steady[-1].title.startswith("extra vars") else "  Overridden by -e:"]
        lines += table(later, whole, None)
    if steady:
        winner = steady[-1]
        lines += ["", f"  {winner.title} wins: {trouble or shown(value, whole)}"]
    return lines


def table(items: list[Origin], whole: bool, winner: Origin | None) -> list[str]:
    width = max((len(item.title) for item in items), default=0)
    places = max((len(str(item.where or "")) for item in items), default=0)
    kinds = {"always": "", "tasks": "  (for these tasks)", "run": "  (from this task on)"}
    return [
        f"  {'>' if item is winner else ' '} {item.title:<{width}}  {item.where or ''!s:<{places}}  {shown(item.value, whole)}{kinds[item.when]}".rstrip()
        for item in items
    ]


def shown(value: object, whole: bool) -> str:
    from opsplay.inventory.listing import visible
    from opsplay.templating.scope import MISSING
    from opsplay.templating.values import Vaulted

    if value is MISSING:
        return "(known when it runs)"
    if isinstance(value, Vaulted):
        return "(encrypted)"
    source = getattr(value, "source", None)
    text = source if isinstance(source, str) else repr(visible(value))
    return text if whole or len(text) <= LONGEST else text[: LONGEST - 3] + "..."
