"""VarLayer: the variables that one place sets, with the place of each, so that `opsplay explain` can tell who wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from opsplay.errors import OpsError, Where
from opsplay.lazy_dataclass import dataclass
from opsplay.source.nodes import MapNode, Node
from opsplay.templating.values import compile_value


@dataclass(frozen=True, slots=True)
class VarLayer:
    """`title` is what a user calls the place ("group_vars/web", "play vars"); `values` are compiled."""

    title: str
    values: Mapping[str, object] = field(default_factory=dict)
    wheres: Mapping[str, Where] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values)


def layer_from_node(title: str, node: Node | None) -> VarLayer:
    """The layer that a mapping in a text sets. Raises OpsError where the node is no mapping of names."""
    if node is None or (not isinstance(node, MapNode) and getattr(node, "value", "") is None):
        return VarLayer(title)
    if not isinstance(node, MapNode):
        raise OpsError(
            "variables-not-a-mapping",
            "variables are a mapping of names to values",
            node.where,
            "Write NAME: VALUE pairs.",
        )
    values = {str(key.value): compile_value(value) for key, value in node.pairs}
    return VarLayer(title, values, {str(key.value): key.where for key, _ in node.pairs})
