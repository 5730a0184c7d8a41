"""The constructed plugin: variables and groups computed from what is known of each host so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsplay.errors import OpsError, Where
from opsplay.inventory.builder import InventoryBuilder, safe_group_name
from opsplay.inventory.expressions import Expressions
from opsplay.lazy_dataclass import dataclass
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode, plain
from opsplay.templating.layer import VarLayer
from opsplay.templating.scope import DictScope

OPTIONS = (
    "plugin", "strict", "compose", "groups", "keyed_groups", "use_vars_plugins", "use_extra_vars", "leading_separator",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeyedGroup:
    """One entry of keyed_groups: the groups named after the value of an expression."""

    key: str
    where: Where
    prefix: str = ""
    separator: str = "_"
    parent_group: str | None = None
    default_value: str | None = None
    trailing_separator: bool = True


@dataclass(slots=True)
class Constructor:
    """One constructed file, applied host by host. Where it is not `strict`, what fails is left out."""

    builder: InventoryBuilder
    title: str
    strict: bool
    leading_separator: bool
    compose: list[tuple[str, object, Where]]
    groups: list[tuple[str, object, Where]]
    keyed: list[KeyedGroup]
    expressions: Expressions

    def host(self, name: str, variables: dict[str, object]) -> None:
        self._compose(name, variables)
        scope = self.expressions.scope(variables)
        for group, condition, where in self.groups:
            if self._holds(name, condition, scope, where):
                self.builder.add_host(name, self.builder.add_group(safe_group_name(group), where))
        for keyed in self.keyed:
            self._keyed(name, keyed, scope)

    def _compose(self, name: str, variables: dict[str, object]) -> None:
        for variable, expression, where in self.compose:
            try:
                value = self.expressions.value(str(expression), self.expressions.scope(variables), where)
            except OpsError as error:
                self._failed(name, error, where)
                continue
            variables[variable] = value
            self.builder.set_host_vars(name, VarLayer(self.title, {variable: value}, {variable: where}))

    def _failed(self, host: str, error: OpsError, where: Where) -> None:
        """Leaves it out for this host, or with `strict` stops."""
        if self.strict:
            remedy = "Mend it, give it a | default(...), or leave `strict` out."
            raise OpsError("inventory-bad-expression", f"for host {host}: {error.message}", where, remedy) from None

    def _holds(self, host: str, condition: object, scope: DictScope, where: Where) -> bool:
        try:
            return self.expressions.holds(condition, scope, where)
        except OpsError as error:
            self._failed(host, error, where)
            return False

    def _keyed(self, name: str, keyed: KeyedGroup, scope: DictScope) -> None:
        try:
            value = self.expressions.value(keyed.key, scope, keyed.where)
        except OpsError as error:
            self._failed(name, error, keyed.where)
            return
        if not value and value is not False and value != 0 and keyed.default_value is None and value != "":
            return
        for suffix in _suffixes(value, keyed):
            group = self.builder.add_group(safe_group_name(self._name(keyed, suffix)), keyed.where)
            self.builder.add_host(name, group)
            if keyed.parent_group:
                self._parent(keyed, group, scope)

    def _name(self, keyed: KeyedGroup, suffix: str) -> str:
        if not keyed.prefix and not self.leading_separator:
            return suffix
        return keyed.prefix + keyed.separator + suffix

    def _parent(self, keyed: KeyedGroup, group: str, scope: DictScope) -> None:
        text = self.expressions.text(str(keyed.parent_group), scope, keyed.where)
        parent = self.builder.add_group(safe_group_name(text), keyed.where)
        if parent != group:
            self.builder.add_child(parent, group, keyed.where)


def _suffixes(value: object, keyed: KeyedGroup) -> Iterator[str]:
    """The group names that a value makes: itself, each item of a list, KEY_VALUE of a mapping."""
    default = keyed.default_value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield _pair(str(key), item, keyed)
    elif isinstance(value, (list, tuple)):
        for item in value:
            empty = item == "" or item is None
            if default is not None or not empty:
                yield str(default if empty else item)
    elif value == "" or value is None:
        if default is not None:
            yield default
    else:
        yield str(value)


def _pair(key: str, item: Any, keyed: KeyedGroup) -> str:
    if item == "" or item is None:
        if keyed.default_value is not None:
            item = keyed.default_value
        elif not keyed.trailing_separator:
            return key
        else:
            item = ""
    return f"{key}{keyed.separator}{item}"


def read_constructed(node: MapNode, path: str, builder: InventoryBuilder) -> None:
    """Applies a constructed file to every host that earlier sources brought."""
    check_options(node, OPTIONS)
    constructor = Constructor(
        builder,
        f"constructed inventory {path.rpartition('/')[2]}",
        bool(_plain_option(node, "strict", False)),
        bool(_plain_option(node, "leading_separator", True)),
        _expressions(node, "compose"),
        _expressions(node, "groups"),
        [_keyed_group(item) for item in _items(node, "keyed_groups")],
        Expressions(builder.vault),
    )
    with_folders = bool(_plain_option(node, "use_vars_plugins", False))
    extra = builder.settings.extra_variables if _plain_option(node, "use_extra_vars", False) else {}
    snapshot = builder.freeze()
    for name in snapshot.hosts:
        constructor.host(name, {**_variables(snapshot, name, with_folders), **extra})


def _variables(inventory: Any, name: str, with_folders: bool) -> dict[str, object]:
    variables: dict[str, object] = {}
    if with_folders:
        layers = inventory.host_layers(name)
    else:
        groups = inventory.host_groups(name)
        layers = [layer for group in groups for layer in inventory.groups[group].layers] + list(
            inventory.host(name).layers
        )
    for layer in layers:
        variables.update(layer.values)
    variables.update(inventory_hostname=name, inventory_hostname_short=name.partition(".")[0])
    variables.update(group_names=inventory.group_names(name))
    return variables


def check_options(node: MapNode, known: tuple[str, ...]) -> None:
    from opsplay.errors import did_you_mean

    for key, _ in node.pairs:
        if key.value not in known:
            remedy = f"{did_you_mean(str(key.value), known)} It knows: {', '.join(known)}.".strip()
            message = f'the plugin has no option "{key.value}"'
            raise OpsError("inventory-unknown-option", message, key.where, remedy, width=len(str(key.value)))


def _plain_option(node: MapNode, name: str, default: object) -> object:
    found = node.get(name)
    return default if found is None else plain(found)


def _expressions(node: MapNode, name: str) -> list[tuple[str, object, Where]]:
    found = node.get(name)
    if found is None or (isinstance(found, ScalarNode) and found.value is None):
        return []
    if not isinstance(found, MapNode):
        raise _bad_option(name, "a mapping of names to Jinja expressions", found)
    return [(str(key.value), plain(value), value.where) for key, value in found.pairs]


def _items(node: MapNode, name: str) -> list[Node]:
    found = node.get(name)
    if found is None or (isinstance(found, ScalarNode) and found.value is None):
        return []
    if not isinstance(found, ListNode):
        raise _bad_option(name, "a list", found)
    return list(found)


def _bad_option(name: str, kind: str, node: Node) -> OpsError:
    return OpsError("inventory-bad-option", f"{name} is {kind}", node.where, "See docs/reference/inventory.md.")


def _keyed_group(node: Node) -> KeyedGroup:
    data = plain(node)
    if not isinstance(node, MapNode) or not isinstance(data, dict) or not data.get("key"):
        raise _bad_option("an entry of keyed_groups", "a mapping with a key: EXPRESSION", node)
    check_options(node, ("key", "prefix", "separator", "parent_group", "default_value", "trailing_separator"))
    if data.get("default_value") is not None and "trailing_separator" in data:
        raise _bad_option("an entry of keyed_groups", "given default_value or trailing_separator, not both", node)
    place = node.get("key")
    return KeyedGroup(
        str(data["key"]),
        place.where if place else node.where,
        str(data.get("prefix") or ""),
        str(data.get("separator", "_")),
        data.get("parent_group"),
        data.get("default_value"),
        bool(data.get("trailing_separator", True)),
    )
