"""Nodes: what a YAML or INI text says, each with its place, before anything is known about its meaning."""

from __future__ import annotations

from collections.abc import Iterator

from opsplay.errors import Where
from opsplay.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A leaf. `value` is str, int, float, bool, None, datetime, or one of the tagged values below."""

    value: object
    where: Where


@dataclass(frozen=True, slots=True)
class ListNode:
    items: tuple[Node, ...]
    where: Where

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping in the order of the text, merge keys applied, no key twice."""

    pairs: tuple[tuple[ScalarNode, Node], ...]
    where: Where

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.pairs if name.value == key), None)

    def __contains__(self, key: str) -> bool:
        return any(name.value == key for name, _ in self.pairs)

    def keys(self) -> list[object]:
        return [name.value for name, _ in self.pairs]


Node = ScalarNode | ListNode | MapNode


@dataclass(frozen=True, slots=True)
class VaultText:
    """A `!vault` value, still encrypted; `templating` opens it when it is first read."""

    ciphertext: str


@dataclass(frozen=True, slots=True)
class UnsafeText:
    """An `!unsafe` value: text that is never a template."""

    text: str


def plain(node: Node) -> object:
    """The node as plain Python values, positions dropped, nothing compiled."""
    if isinstance(node, MapNode):
        return {key.value: plain(value) for key, value in node.pairs}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value.text if isinstance(node.value, UnsafeText) else node.value
