"""The generator plugin: hosts and groups for every combination of the items of its layers."""

from __future__ import annotations

from itertools import product
from typing import Any

from opsplay.errors import OpsError, Where
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.constructed import check_options
from opsplay.inventory.expressions import Expressions
from opsplay.inventory.hostnames import MOST_HOSTS, check_host_name
from opsplay.source.nodes import MapNode, plain
from opsplay.templating.layer import VarLayer
from opsplay.templating.scope import DictScope
from opsplay.templating.template import template_or_text


def read_generator(node: MapNode, path: str, builder: InventoryBuilder) -> None:
    """Adds the generated hosts and groups to the builder."""
    check_options(node, ("plugin", "hosts", "layers"))
    data: Any = plain(node)
    hosts, layers = data.get("hosts"), data.get("layers")
    if not isinstance(hosts, dict) or "name" not in hosts or not isinstance(layers, dict):
        remedy = "Write hosts: {name: TEMPLATE, parents: [...]} and layers: {NAME: [items]}."
        raise OpsError("inventory-bad-option", "a generator needs hosts with a name, and layers", node.where, remedy)
    items = [value if isinstance(value, list) else [value] for value in layers.values()]
    _check_count(items, node.where)
    expressions = Expressions(builder.vault)
    title = f"generated inventory {path.rpartition('/')[2]}"
    for combination in product(*items):
        scope = expressions.scope(dict(zip(layers, combination, strict=True)))
        name = check_host_name(expressions.text(str(hosts["name"]), scope, node.where), node.where)
        builder.add_host(name, None, node.where)
        for parent in hosts.get("parents") or []:
            group = _group(name, parent, scope, builder, expressions, title, node.where)
            builder.add_host(name, group)


def _value(value: Any, scope: DictScope, expressions: Expressions, where: Where) -> object:
    """A variable's value, its templates filled in; one that needs what only a play knows stays a template."""
    if isinstance(value, dict):
        return {key: _value(item, scope, expressions, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item, scope, expressions, where) for item in value]
    if not isinstance(value, str):
        return value
    try:
        return expressions.text(value, scope, where)
    except OpsError:
        return template_or_text(value, where)


def _check_count(items: list[list[Any]], where: Where) -> None:
    count = 1
    for values in items:
        count *= len(values)
    if count > MOST_HOSTS:
        raise OpsError("inventory-bad-range", f"the layers make {count:,} hosts", where, "Make fewer combinations.")


def _group(
    child: str, data: Any, scope: DictScope, builder: InventoryBuilder, expressions: Expressions, title: str, where: Where
) -> str:
    """A parent group of a host or group, its variables and its own parents; its name."""
    if not isinstance(data, dict) or "name" not in data:
        remedy = "Write - name: TEMPLATE, with parents: and vars: where wanted."
        raise OpsError("inventory-bad-option", f"Element {child} has a parent with no name.", where, remedy)
    group = builder.add_group(expressions.text(str(data["name"]), scope, where), where)
    values = {str(name): _value(value, scope, expressions, where) for name, value in (data.get("vars") or {}).items()}
    layer = VarLayer(f"{title} [{group}]", values, dict.fromkeys(values, where))
    if not any(known.title == layer.title and known.values == values for known in builder.groups[group].layers):
        builder.set_group_vars(group, layer)
    for parent in data.get("parents") or []:
        builder.add_child(_group(group, parent, scope, builder, expressions, title, where), group, where)
    return group
