"""Building: what every builder of the model shares: the catalog, the texts, the problems found, and what parents pass on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.model.catalog import Catalog
from opsplay.model.play import RoleRef
from opsplay.settings import Settings
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode
from opsplay.source.yaml_reader import read_yaml
from opsplay.source.yaml_tree import Duplicates
from opsplay.templating.layer import VarLayer

StaticRender = Callable[[object, tuple[VarLayer, ...]], object]


@dataclass(frozen=True, slots=True)
class Parent:
    """What a list of tasks takes from around it."""

    keywords: Mapping[str, object] = field(default_factory=dict)
    layers: tuple[VarLayer, ...] = ()
    role: RoleRef | None = None
    is_handler: bool = False

    def with_(self, **changes: object) -> Parent:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass
class Workshop:
    """One playbook's building. `problems` gathers every error, so that they are all said in one go.

    `render` resolves a template from play vars and extra vars alone: all that an import's name may use.
    """

    catalog: Catalog
    settings: Settings
    playbook_dir: Path
    render: StaticRender
    vault: Any = None
    problems: list[OpsError] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    serial: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    role_cache: dict[object, RoleRef] = field(default_factory=dict)
    play_layers: tuple[VarLayer, ...] = ()
    play_handlers: list[object] = field(default_factory=list)

    def uid(self) -> str:
        return f"t{next(self.serial)}"

    def read(self, path: Path) -> Node | None:
        return read_yaml(path, duplicates=cast(Duplicates, self.settings.duplicate_dict_key), vault=self.vault)

    def watch(self, layer: VarLayer, where: Where | None = None) -> VarLayer:
        """Note the layer's names that are reserved."""
        from opsplay.model.reserved import reserved_names

        self.notices += reserved_names(layer.values, layer.wheres, where)
        return layer

    def problem(self, code: str, message: str, where: Where | None, remedy: str, width: int = 1) -> None:
        self.problems.append(OpsError(code, message, where, remedy, width=width))


def check_keys(shop: Workshop, node: MapNode, known: frozenset[str], thing: str) -> None:
    """Every key that is no keyword is a problem, with the nearest keyword."""
    for key, _ in node.pairs:
        name = str(key.value)
        if name not in known:
            hint = did_you_mean(name, set(known))
            shop.problem(
                "unknown-keyword", f"'{name}' is not a valid attribute for a {thing}", key.where, hint, len(name)
            )


def as_list(node: Node | None) -> list[Node]:
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return []
    return list(node.items) if isinstance(node, ListNode) else [node]


def text_of(node: Node | None) -> str | None:
    return str(node.value) if isinstance(node, ScalarNode) and node.value is not None else None
