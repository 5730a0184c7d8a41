"""Building: what every builder of the model shares: the catalog, the texts, the problems found, and what parents pass on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import Any, cast

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.lazy_dataclass import dataclass
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
    in_block: bool = False  # of handlers

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
    new_folder: Callable[[Path], None] = lambda path: None  # told of each role: it may bring plugins
    opening: list[str] = field(default_factory=list)  # imports within each other, the innermost last

    def uid(self) -> str:
        return f"t{next(self.serial)}"

    def read(self, path: Path) -> Node | None:
        def warn(error: OpsError) -> None:
            self.notices.append(str(error))

        return read_yaml(path, duplicates=cast(Duplicates, self.settings.duplicate_dict_key), warn=warn, vault=self.vault)

    def watch(self, layer: VarLayer, where: Where | None = None) -> VarLayer:
        """Note the layer's names that are reserved."""
        from opsplay.model.reserved import reserved_names

        self.notices += reserved_names(layer.values, layer.wheres, where)
        return layer

    @contextmanager
    def inside(self, what: str, where: Where | None) -> Iterator[None]:
        """While something imported is read. Raises OpsError where it imports itself again."""
        if what in self.opening:
            raise OpsError("import-recursion", f"{what} imports itself", where,
                           "Use include_tasks or include_role with a condition, or remove the import.")  # fmt: skip
        self.opening.append(what)
        try:
            yield
        finally:
            self.opening.pop()

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


def only_list(node: Node | None, thing: str) -> Node | None:
    """The node, which has to be a list or nothing. Raises OpsError."""
    if node is not None and not isinstance(node, ListNode) and not (isinstance(node, ScalarNode) and node.value in (None, "")):
        raise OpsError("not-a-list", f"'{thing}' takes a list", node.where, f"Start every entry of {thing} with a dash.")
    return node


def text_of(node: Node | None) -> str | None:
    return str(node.value) if isinstance(node, ScalarNode) and node.value is not None else None
