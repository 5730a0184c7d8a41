"""YAML inventories (and TOML and JSON of the same shape): groups with hosts, children and vars."""

from __future__ import annotations

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.hostnames import expand_host
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode
from opsplay.templating.layer import VarLayer, layer_from_node

SECTIONS = ("hosts", "children", "vars")


def read_groups(node: Node, builder: InventoryBuilder, title: str) -> None:
    """Adds every group of a top-level mapping, and all below it, to the builder."""
    if not isinstance(node, MapNode):
        raise OpsError(
            "inventory-not-a-mapping",
            "a YAML inventory is a mapping of groups",
            node.where,
            "Start with:  all:\n  hosts:\n    NAME:",
        )
    for key, value in node.pairs:
        if builder.settings.unparsed == "warn" and not _is_nothing(value) and not isinstance(value, MapNode):
            builder.notice(f'{key.where}: "{key.value}" is no group definition and was left out')
        else:
            _group(str(key.value), value, key.where, builder, title)


def _group(name: str, node: Node, where: Where, builder: InventoryBuilder, title: str) -> str:
    group = builder.add_group(name, where)
    if _is_nothing(node):
        return group
    if not isinstance(node, MapNode):
        raise OpsError(
            "inventory-bad-group",
            f'the group "{name}" is a mapping with hosts, children or vars',
            node.where,
            f"Write {name}: {{hosts: {{NAME: }}}}. A file of variables goes into group_vars/.",
        )
    for key, value in node.pairs:
        _section(group, str(key.value), value, key.where, builder, title)
    return group


def _section(group: str, section: str, node: Node, where: Where, builder: InventoryBuilder, title: str) -> None:
    if section not in SECTIONS:
        hint = did_you_mean(section, SECTIONS)
        said = f'{where}: "{section}" in group "{group}" is none of hosts, children, vars and was left out. {hint}'
        builder.notice(said.strip())
        return
    if section == "vars":
        builder.set_group_vars(group, layer_from_node(f"{title} [{group}]", node))
        return
    for name, value, place in _entries(node, section, group):
        if section == "children":
            builder.add_child(group, _group(name, value, place, builder, title), place)
        else:
            _host(group, name, value, place, builder, title)


def _entries(node: Node, section: str, group: str) -> list[tuple[str, Node, Where]]:
    """Name, content and place of each host or child; a bare name or (in TOML) a list of names will do."""
    nothing = ScalarNode(None, node.where)
    if _is_nothing(node):
        return []
    if isinstance(node, MapNode):
        return [(_name(key, section), value, key.where) for key, value in node.pairs]
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        return [(node.value, nothing, node.where)]
    names = [item for item in node.items if isinstance(item, ScalarNode)] if isinstance(node, ListNode) else []
    if isinstance(node, ListNode) and len(names) == len(node.items) and _is_toml(node.where):
        return [(str(item.value), nothing, item.where) for item in names]
    raise OpsError(
        "inventory-not-a-mapping",
        f'"{section}" of group "{group}" is a mapping: each name is a key',
        node.where,
        'End each name with a colon ("web1:") and drop the dashes.',
    )


def _name(key: ScalarNode, section: str) -> str:
    if section == "hosts" and not isinstance(key.value, str):
        message = f"Host pattern {key.value} must be a string. Enclose integers/floats in quotation marks."
        raise OpsError("inventory-bad-host-name", message, key.where, f'Write "{key.value}":', width=len(str(key.value)))
    return str(key.value)


def _is_toml(where: Where) -> bool:
    return where.path.endswith(".toml")


def _is_nothing(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _host(group: str, entry: str, node: Node, where: Where, builder: InventoryBuilder, title: str) -> None:
    names, port = expand_host(entry, where)
    layer = layer_from_node(title, node) if not _is_nothing(node) else VarLayer(title)
    if port is not None:
        layer = VarLayer(title, {"ansible_port": port, **layer.values}, {"ansible_port": where, **layer.wheres})
    for name in names:
        builder.add_host(name, group, where)
        builder.set_host_vars(name, layer)
