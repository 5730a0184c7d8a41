"""Values: what nodes become once compiled: plain Python with Template and Vaulted leaves."""

from __future__ import annotations

from opsplay.errors import Where
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode, UnsafeText, VaultText
from opsplay.templating.template import Template, template_or_text


class Vaulted:
    """An encrypted value; opened by the engine when it is first read."""

    __slots__ = ("ciphertext", "where")

    def __init__(self, ciphertext: str, where: Where | None = None) -> None:
        self.ciphertext = ciphertext
        self.where = where


class Unsafe(str):
    """An `!unsafe` text: never a template. Plain text as soon as it is read; listings of inventories mark it."""

    __slots__ = ()


def compile_value(node: Node) -> object:
    """The node as plain Python: dict, list and scalars, strings with Jinja as Template, `!vault` as Vaulted."""
    if isinstance(node, ScalarNode):
        return compile_scalar(node.value, node.where)
    if isinstance(node, ListNode):
        return [compile_value(item) for item in node.items]
    return {key.value: compile_value(value) for key, value in node.pairs}


def compile_scalar(value: object, where: Where | None = None) -> object:
    if isinstance(value, str):
        return template_or_text(value, where)
    if isinstance(value, UnsafeText):
        return Unsafe(value.text)
    if isinstance(value, VaultText):
        return Vaulted(value.ciphertext, where)
    return value


def compile_plain(value: object, where: Where | None = None) -> object:
    """The same for plain Python data that came from trusted text (`-e`, an inventory script's `_meta`)."""
    if isinstance(value, dict):
        return {key: compile_plain(item, where) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [compile_plain(item, where) for item in value]
    return compile_scalar(value, where)


def is_dynamic(value: object) -> bool:
    """Whether reading the value can evaluate something: a Template or Vaulted anywhere inside."""
    if isinstance(value, (Template, Vaulted)):
        return True
    if isinstance(value, dict):
        return any(is_dynamic(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(is_dynamic(item) for item in value)


def names_of(node: MapNode) -> list[str]:
    return [str(key.value) for key, _ in node.pairs]
