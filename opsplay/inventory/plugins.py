"""Plugin files: YAML with a `plugin:` key, by the plugins that come with us."""

from __future__ import annotations

from collections.abc import Callable

from opsplay.errors import OpsError, did_you_mean
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.foreign_plugins import ansible_inventory, read_by_ansible
from opsplay.source.nodes import MapNode, ScalarNode

Reader = Callable[[MapNode, str, InventoryBuilder], None]


def read_plugin_file(node: MapNode, path: str, builder: InventoryBuilder) -> None:
    """Hands a configuration to the plugin that it names."""
    named = node.get("plugin")
    assert named is not None
    name = plugin_name(node)
    reader = _readers().get(name)
    if reader is not None:
        reader(node, path, builder)
        return
    program = ansible_inventory()
    if program is None:
        raise OpsError(
            "inventory-unknown-plugin",
            f'there is no inventory plugin "{name}"',
            named.where,
            f"{did_you_mean(name, list(_readers()))} There are: {', '.join(_readers())}. For any other install ansible-core: "
            "its ansible-inventory is asked then; or give a script that prints the JSON.".strip(),
            width=len(name),
        )
    read_by_ansible(program, path, name, builder)


def plugin_name(node: MapNode) -> str:
    """The short name of the plugin that a configuration is for."""
    named = node.get("plugin")
    return str(named.value).removeprefix("ansible.builtin.") if isinstance(named, ScalarNode) else ""


def _readers() -> dict[str, Reader]:
    from opsplay.inventory.constructed import read_constructed
    from opsplay.inventory.generator import read_generator

    return {"constructed": read_constructed, "generator": read_generator, "advanced_host_list": _host_list}


def _host_list(node: MapNode, path: str, builder: InventoryBuilder) -> None:
    raise OpsError("inventory-bad-plugin", "a host list is given to -i itself", node.where, "Write: -i 'web[1:3],db1,'")
