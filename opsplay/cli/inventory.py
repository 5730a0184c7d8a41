"""Owns the command group `opsplay inventory`: list, host, graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from opsplay.cli.vault_options import load_secrets, vault_options

if TYPE_CHECKING:
    from opsplay.inventory.inventory import Inventory
    from opsplay.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group("inventory")
def inventory() -> None:
    """What the inventories say: hosts, groups and their variables."""


def source_options(command: Command) -> Command:
    for option in (
        click.option("--output", type=click.Path(dir_okay=False), help="Write to this file, not to the terminal."),
        click.option("--playbook-dir", type=click.Path(file_okay=False), metavar="DIR",
                     help="Its group_vars and host_vars count too."),
        click.option("-i", "--inventory", "sources", multiple=True, metavar="SOURCE",
                     help="A file, folder, script or `host,`."),
    ):  # fmt: skip
        command = option(command)
    return vault_options(command)


def format_options(command: Command) -> Command:
    for name in ("toml", "yaml"):
        command = click.option(f"--{name}", "form", flag_value=name, help=f"As {name.upper()}, not JSON.")(command)
    return command


def load(
    sources: tuple[str, ...],
    vault_ids: tuple[str, ...] = (),
    vault_password_files: tuple[str, ...] = (),
    ask_vault_pass: bool = False,
    settings: Settings | None = None,
) -> Inventory:
    """The inventory that the options and settings name; its warnings on stderr."""
    from opsplay.inventory.load import load_inventory
    from opsplay.settings import load_settings

    settings = settings or load_settings()
    secrets = load_secrets(settings, vault_ids, vault_password_files, ask_vault_pass)
    found = load_inventory(list(sources or settings.inventory or ("/etc/ansible/hosts",)), settings, secrets)
    show_notices(found)
    return found


def show_notices(found: Inventory) -> None:
    for notice in found.notices:
        click.echo(f"[WARNING]: {notice}", err=True)
    found.notices.clear()


def write(text: str, output: str | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)


@inventory.command("list")
@source_options
@format_options
@click.option("--limit", "-l", metavar="PATTERN", help="Only the hosts that this names.")
@click.option("--export", is_flag=True, help="Variables where they are set, not merged into each host.")
def list_hosts(
    sources: tuple[str, ...],
    playbook_dir: str | None,
    output: str | None,
    form: str | None,
    limit: str | None,
    export: bool,
    **vault: Any,
) -> None:
    """All groups, hosts and variables."""
    from opsplay.inventory import listing, writing

    found = load(sources, **vault)
    hosts = None if limit is None else found.select("all", limit)
    show_notices(found)
    if form == "yaml":
        text = writing.to_yaml(listing.inventory_tree(found, hosts, export=export, playbook_dir=playbook_dir))
    elif form == "toml":
        text = writing.to_toml(listing.inventory_tables(found, hosts, export=export, playbook_dir=playbook_dir))
    else:
        text = writing.to_json(listing.inventory_list(found, hosts, export=export, playbook_dir=playbook_dir))
    write(text, output)


@inventory.command("host")
@source_options
@format_options
@click.argument("name")
def show_host(
    name: str, sources: tuple[str, ...], playbook_dir: str | None, output: str | None, form: str | None, **vault: Any
) -> None:
    """The variables of one host, as all inventories, group_vars and host_vars make them."""
    from opsplay.inventory import listing, writing

    values = listing.inventory_host(load(sources, **vault), name, playbook_dir)
    write(writing.formatted(values, form), output)


@inventory.command("graph")
@source_options
@click.option("--vars", "variables", is_flag=True, help="With the variables of groups and hosts.")
@click.option("--limit", "-l", metavar="PATTERN", help="Only the hosts that this names.")
@click.argument("group", default="all")
def show_graph(
    group: str,
    sources: tuple[str, ...],
    playbook_dir: str | None,
    output: str | None,
    variables: bool,
    limit: str | None,
    **vault: Any,
) -> None:
    """Groups below groups, hosts below them."""
    from opsplay.inventory import listing

    found = load(sources, **vault)
    hosts = None if limit is None else found.select("all", limit)
    show_notices(found)
    write(listing.inventory_graph(found, group, variables=variables, playbook_dir=playbook_dir, hosts=hosts), output)
