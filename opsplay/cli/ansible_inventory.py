"""The drop-in for `ansible-inventory`: --list, --host and --graph, with Ansible's flags and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from opsplay.cli.run_options import inventory_options, stacked, variable_options
from opsplay.errors import Fault, OpsError

if TYPE_CHECKING:
    from opsplay.inventory.inventory import Inventory
    from opsplay.settings import Settings

NO_ACTION = "No action selected, at least one of --host, --graph or --list needs to be specified."
TOO_MANY = "Conflicting options used, only one of --host, --graph or --list can be used at the same time."

action_options = stacked(
    click.option("--list", "list_", is_flag=True, help="All groups, hosts and variables."),
    click.option("--host", metavar="HOST", help="The variables of one host."),
    click.option("--graph", is_flag=True, help="Groups below groups, hosts below them; of the group named, else of all."),
    click.option("--vars", "variables", is_flag=True, help="With --graph: variables, too."),
    click.option("--export", is_flag=True, help="With --list: variables where they are set, not merged into each host."),
    click.option("-y", "--yaml", "as_yaml", is_flag=True, help="As YAML, not JSON."),
    click.option("--toml", "as_toml", is_flag=True, help="As TOML, not JSON."),
    click.option("--output", metavar="FILE", help="Write to this file."),
    click.option("--playbook-dir", metavar="FOLDER", help="Its group_vars and host_vars count too."),
    click.option("-v", "--verbose", count=True),
    click.option("--version", is_flag=True),
)


@click.command("ansible-inventory", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("group", required=False)
@action_options
@inventory_options
@variable_options
def inventory(group: str | None, version: bool, **flags: Any) -> int:
    """Show the inventory as Ansible sees it."""
    from opsplay.cli.ansible import compatible_settings, show_version

    if version:
        return show_version("ansible-inventory")
    actions = [name for name in ("list_", "host", "graph") if flags[name]]
    if len(actions) != 1:
        raise OpsError("bad-option-action", TOO_MANY if actions else NO_ACTION, fault=Fault.USAGE)
    settings = compatible_settings(flags)
    found = load(flags, settings)
    if flags["graph"]:
        text = graph(found, group or "all", flags)
    elif flags["host"]:
        text = host(found, flags)
    else:
        text = listed(found, group or "all", flags)
    say_notices(found)
    write(text, flags["output"])
    return 0


def load(flags: dict[str, Any], settings: Settings) -> Inventory:
    from opsplay.cli.launching import inventories, vault_for
    from opsplay.engine.launch import inventory_settings, parse_extra
    from opsplay.inventory.load import load_inventory

    vault = vault_for(flags, settings)
    extra = parse_extra(flags["extra_vars"], vault)
    found = load_inventory(list(inventories(flags, settings)), inventory_settings(settings, extra), vault)
    say_notices(found)
    return found


def say_notices(found: Inventory) -> None:
    for notice in found.notices:
        click.echo(f"[WARNING]: {notice}", err=True)
    found.notices.clear()


def chosen(found: Inventory, pattern: str, limit: str | None) -> list[str]:
    hosts = list(found.select(pattern, limit)) if found.hosts else []
    say_notices(found)
    if limit and not hosts and not limit.startswith("!"):
        raise OpsError("no-hosts-matched", "Specified hosts and/or --limit does not match any hosts", fault=Fault.USAGE,
                       remedy="List the hosts with --graph.")  # fmt: skip
    return hosts


def graph(found: Inventory, group: str, flags: dict[str, Any]) -> str:
    from opsplay.inventory.listing import inventory_graph

    if group not in found.groups:
        raise OpsError("bad-option-group", "Pattern must be valid group name when using --graph", fault=Fault.USAGE,
                       remedy="List the groups with: ansible-inventory --graph")  # fmt: skip
    hosts = chosen(found, "all", flags["limit"]) if flags["limit"] else None
    return inventory_graph(found, group, variables=flags["variables"], playbook_dir=flags["playbook_dir"], hosts=hosts)


def host(found: Inventory, flags: dict[str, Any]) -> str:
    from opsplay.inventory.listing import flattened
    from opsplay.inventory.writing import formatted

    names = list(found.select(flags["host"]))
    say_notices(found)
    if len(names) != 1:
        raise OpsError("bad-option-host", "You must pass a single valid host to --host parameter", fault=Fault.USAGE,
                       remedy="List the hosts with: ansible-inventory --graph")  # fmt: skip
    return formatted(flattened(found.host_layers(names[0], flags["playbook_dir"])), form(flags))


def listed(found: Inventory, pattern: str, flags: dict[str, Any]) -> str:
    from opsplay.inventory import listing, writing

    hosts = chosen(found, pattern, flags["limit"]) if flags["limit"] or pattern != "all" else None
    options: dict[str, Any] = {"export": flags["export"], "playbook_dir": flags["playbook_dir"]}
    if form(flags) == "yaml":
        return writing.to_yaml(listing.inventory_tree(found, hosts, **options))
    if form(flags) == "toml":
        return writing.to_toml(listing.inventory_tables(found, hosts, **options))
    return writing.to_json(listing.inventory_list(found, hosts, **options))


def form(flags: dict[str, Any]) -> str | None:
    return "yaml" if flags["as_yaml"] else "toml" if flags["as_toml"] else None


def write(text: str, output: str | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)
