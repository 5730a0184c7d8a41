"""Listings: an inventory as ansible-inventory documents it: --list (JSON, YAML, TOML), --host and --graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any

from opsplay.errors import Fault, OpsError, did_you_mean
from opsplay.inventory.inventory import Group, Inventory
from opsplay.templating.layer import VarLayer
from opsplay.templating.template import MARKERS, Template
from opsplay.templating.values import Unsafe, Vaulted

Tree = dict[str, Any]


def visible(value: object) -> object:
    """A compiled value as JSON shows it: templates as written, vaulted and unsafe texts wrapped as documented."""
    if isinstance(value, Template):
        return value.source
    if isinstance(value, Vaulted):
        return {"__ansible_vault": value.ciphertext}
    if isinstance(value, str):
        hostile = isinstance(value, Unsafe) or any(mark in value for mark in MARKERS)
        return {"__ansible_unsafe": str(value)} if hostile else value
    if isinstance(value, Mapping):
        return {str(key): visible(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def flattened(layers: Iterable[VarLayer]) -> dict[str, object]:
    """What the layers come to, the last that sets a name winning."""
    values: dict[str, object] = {}
    for layer in layers:
        values.update(layer.values)
    return values


def inventory_host(inventory: Inventory, name: str, playbook_dir: str | None = None) -> Tree:
    """The variables of one host, compiled."""
    if name not in inventory.hosts:
        hint = did_you_mean(name, list(inventory.hosts))
        raise OpsError(
            "inventory-no-such-host",
            f'there is no host "{name}" in the inventory',
            None,
            f"{hint} List the hosts with: opsplay inventory graph".strip(),
            fault=Fault.USAGE,
        )
    return flattened(inventory.host_layers(name, playbook_dir))


def host_variables(inventory: Inventory, name: str, playbook_dir: str | None, export: bool) -> Tree:
    """A host's variables: all that count for it, or with `export` those that are its own."""
    return flattened(
        inventory.own_host_layers(name, playbook_dir) if export else inventory.host_layers(name, playbook_dir)
    )


def group_variables(inventory: Inventory, group: Group, playbook_dir: str | None) -> Tree:
    values = flattened(inventory.own_group_layers(group.name, playbook_dir))
    return values | ({"ansible_group_priority": group.priority} if group.priority != 1 else {})


def inventory_list(
    inventory: Inventory,
    hosts: Collection[str] | None = None,
    *,
    export: bool = False,
    playbook_dir: str | None = None,
) -> Tree:
    """The answer of --list: every group, and `_meta.hostvars`; `hosts` limits it."""
    kept = dict.fromkeys(inventory.hosts if hosts is None else hosts)

    def entry(group: Group) -> Tree:
        hosts = {} if group.name == "all" else {"hosts": [host for host in group.hosts if host in kept]}
        return {**hosts, "children": list(group.children)}

    tree = each_group(inventory, entry, export, playbook_dir)
    variables = {host: visible(host_variables(inventory, host, playbook_dir, export)) for host in kept}
    tree["_meta"] = {"hostvars": {host: values for host, values in variables.items() if values}, "profile": "inventory_legacy"}
    return tree


def each_group(inventory: Inventory, entry: Callable[[Group], Tree], export: bool, playbook_dir: str | None) -> Tree:
    """What `entry` makes of each group, with the group's own variables for an export; nothing that is empty."""
    tree: Tree = {}
    for name in inventory.descendants("all"):
        group = inventory.groups[name]
        values = entry(group)
        if export:
            values["vars"] = visible(group_variables(inventory, group, playbook_dir))
        if values := {key: value for key, value in values.items() if value}:
            tree[name] = values
    return tree


def inventory_tree(
    inventory: Inventory,
    hosts: Collection[str] | None = None,
    *,
    export: bool = False,
    playbook_dir: str | None = None,
) -> Tree:
    """The answer of --list --yaml: groups in groups; variables where a host is met first. Values stay compiled."""
    kept = dict.fromkeys(inventory.hosts if hosts is None else hosts)
    seen_hosts: set[str] = set()
    seen_groups: set[str] = set()

    def hosts_of(group: Group) -> Iterator[tuple[str, Tree]]:
        for host in group.hosts if group.name != "all" else ():
            if host in kept:
                yield host, {} if host in seen_hosts else host_variables(inventory, host, playbook_dir, export)
                seen_hosts.add(host)

    def branch(group: Group) -> Tree:
        children: Tree = {}
        for child in group.children:
            entry = {} if child in seen_groups else branch(inventory.groups[child])
            if entry or child in seen_groups:
                children[child] = entry
            seen_groups.add(child)
        entry = {"children": children, "hosts": dict(hosts_of(group))}
        if export:
            entry["vars"] = group_variables(inventory, group, playbook_dir)
        return {key: value for key, value in entry.items() if value}

    tree = branch(inventory.groups["all"])
    return {"all": tree} if tree else {}


def inventory_tables(
    inventory: Inventory,
    hosts: Collection[str] | None = None,
    *,
    export: bool = False,
    playbook_dir: str | None = None,
) -> Tree:
    """The answer of --list --toml: a table for each group."""
    kept = dict.fromkeys(inventory.hosts if hosts is None else hosts)
    seen: set[str] = set()

    def entry(group: Group) -> Tree:
        children = [child for child in group.children if child != "ungrouped" or _has_hosts(inventory, child)]
        hosts: Tree = {}
        for host in group.hosts if group.name != "all" else ():
            if host in kept:
                hosts[host] = {} if host in seen else visible(host_variables(inventory, host, playbook_dir, export))
                seen.add(host)
        return {"children": children, "hosts": hosts}

    return each_group(inventory, entry, export, playbook_dir)


def _has_hosts(inventory: Inventory, group: str) -> bool:
    return bool(inventory.groups[group].hosts)


def inventory_graph(
    inventory: Inventory,
    group: str = "all",
    *,
    variables: bool = False,
    playbook_dir: str | None = None,
    hosts: Collection[str] | None = None,
) -> str:
    """The answer of --graph: groups below groups, hosts below them, variables below both where asked for."""
    if group not in inventory.groups:
        hint = did_you_mean(group, list(inventory.groups))
        remedy = f"{hint} List the groups with: opsplay inventory graph".strip()
        raise OpsError("inventory-no-such-group", f'there is no group "{group}"', None, remedy, fault=Fault.USAGE)
    lines = _graph(inventory, inventory.groups[group], 0, variables, playbook_dir, hosts)
    return "\n".join(lines) + "\n"


def _graph(
    inventory: Inventory,
    group: Group,
    depth: int,
    variables: bool,
    playbook_dir: str | None,
    hosts: Collection[str] | None,
) -> Iterator[str]:
    yield _branch(f"@{group.name}:", depth)
    for child in group.children:
        yield from _graph(inventory, inventory.groups[child], depth + 1, variables, playbook_dir, hosts)
    for host in group.hosts if group.name != "all" else ():
        if hosts is not None and host not in hosts:
            continue
        yield _branch(host, depth + 1)
        if variables:
            yield from _values(host_variables(inventory, host, playbook_dir, False), depth + 2)
    if variables:
        yield from _values(group_variables(inventory, group, playbook_dir), depth + 1)


def _values(values: Tree, depth: int) -> Iterator[str]:
    for name in sorted(values):
        yield _branch(f"{{{name} = {_shown(values[name])}}}", depth)


def _shown(value: object) -> object:
    if isinstance(value, Template):
        return value.source
    if isinstance(value, Vaulted):
        return value.ciphertext.strip()
    return visible(value) if isinstance(value, (Mapping, list, tuple)) else value


def _branch(text: str, depth: int) -> str:
    return f"{'  |' * depth}--{text}" if depth else text
