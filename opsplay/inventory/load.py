"""load_inventory: which kind of source each -i names, read in order into one Inventory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opsplay.errors import Fault, OpsError, Where
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.hostnames import expand_host
from opsplay.inventory.inventory import Inventory
from opsplay.inventory.plugins import plugin_name
from opsplay.inventory.settings import InventorySettings
from opsplay.source.nodes import MapNode, Node
from opsplay.source.text_file import Opener, decode, open_vaulted, read_bytes
from opsplay.source.yaml_reader import parse_yaml

if TYPE_CHECKING:
    from opsplay.settings import Settings

YAML_EXTENSIONS = (".yml", ".yaml", ".json")
_ALWAYS_IGNORED = re.compile(r"\.|(?:host_vars|group_vars|vars_plugins)$")
_YAML_START = re.compile(r"""---|%YAML|\{|(?:"[^"]*"|'[^']*'|[^\s=\[\]#;]+):(?:\s|$)""")
_PROGRAM_MARKS = (b"#!", b"\x7fELF")


def load_inventory(
    sources: Sequence[str], settings: Settings | InventorySettings | None = None, vault: Opener | None = None
) -> Inventory:
    """One Inventory of all sources; of two that set one variable the later wins."""
    return load_builder(sources, settings, vault).freeze()


def load_builder(
    sources: Sequence[str], settings: Settings | InventorySettings | None = None, vault: Opener | None = None
) -> InventoryBuilder:
    """The same, still open to additions."""
    builder = InventoryBuilder(InventorySettings.of(settings), vault)
    parsed = [add_source(source, builder) for source in sources]
    if sources and not any(parsed):
        _none_parsed(builder)
    return builder


def _none_parsed(builder: InventoryBuilder) -> None:
    if builder.settings.none_parsed == "error":
        raise OpsError("inventory-not-parsed", "No inventory was parsed, please check your configuration and options.",
                       remedy="Name a source that can be read with -i.", fault=Fault.USAGE)  # fmt: skip
    if builder.settings.none_parsed == "warn":
        builder.notice("No inventory was parsed, only implicit localhost is available")


def add_source(source: str, builder: InventoryBuilder) -> bool:
    """Reads one -i: a host list, a file, an executable or a folder of these. Whether it could be read."""
    if "," in source and not os.path.exists(source):
        return _tried(lambda: _host_list(source, builder), source, builder, "advanced_host_list")
    base = source if os.path.isdir(source) else os.path.dirname(source) or "."
    if base not in builder.vars_bases:
        builder.vars_bases.append(base)
    return _path(source, builder)


def _host_list(source: str, builder: InventoryBuilder) -> None:
    _require(builder, source, "host_list", "advanced_host_list")
    for entry in filter(None, (part.strip() for part in source.split(","))):
        names, port = _listed(entry, builder)
        for name in names:
            builder.add_host(name, "ungrouped")
            if port is not None:
                from opsplay.templating.layer import VarLayer

                builder.set_host_vars(name, VarLayer("inventory host list", {"ansible_port": port}))


def _listed(entry: str, builder: InventoryBuilder) -> tuple[list[str], int | None]:
    """The hosts of an entry; a range without an end stays a name, as Ansible has it, where sources may be wrong."""
    try:
        return expand_host(entry, Where("the host list of -i"))
    except OpsError as error:
        if error.code != "inventory-bad-range" or "needs an end" not in error.message or builder.settings.unparsed == "error":
            raise
        builder.notice(f"Unable to parse address from hostname, leaving unchanged: host range must specify end value: {entry}")
        return [entry], None


def _path(path: str, builder: InventoryBuilder) -> bool:
    if os.path.isdir(path):
        return _folder(path, builder)
    return _tried(lambda: _file(path, builder), path, builder)


def _tried(read: Callable[[], None], source: str, builder: InventoryBuilder, plugin: str = "") -> bool:
    """Whether the source could be read; what it began is undone where it could not. Raises OpsError where that stops a run."""
    if builder.settings.unparsed == "error":
        read()
        return True
    before = builder.snapshot()
    try:
        read()
    except OpsError as error:
        builder.restore(before)
        if plugin:
            builder.notice(f"Failed to parse inventory with '{plugin}' plugin: {error}")
        builder.notice(f"Unable to parse {source} as an inventory source{'' if plugin else f': {error}'}")
        return False
    return True


def _folder(path: str, builder: InventoryBuilder) -> bool:
    names = [name for name in sorted(os.listdir(path)) if not _is_ignored(name, builder.settings)]
    parsed = [_path(os.path.join(path, name), builder) for name in names]
    if not any(parsed) and builder.settings.unparsed == "error" and builder.settings.strict:
        raise OpsError("inventory-not-parsed", "nothing in this folder is an inventory", Where(path), "Put one there, or name another.",
                       fault=Fault.USAGE)  # fmt: skip
    return any(parsed)


def _is_ignored(name: str, settings: InventorySettings) -> bool:
    if _ALWAYS_IGNORED.match(name) or name.endswith(settings.ignored_extensions):
        return True
    return any(re.search(pattern, name) for pattern in settings.ignored_patterns)


def _file(path: str, builder: InventoryBuilder) -> None:
    if not os.path.exists(path):
        raise _no_such_source(path)
    data = read_bytes(path, builder.settings.limits)
    if data.startswith(_PROGRAM_MARKS) and os.path.isfile(path):
        _require(builder, path, "script")
        from opsplay.inventory.script import read_script

        read_script(path, builder)
        return
    _text(decode(open_vaulted(data, path, builder.vault), path), path, builder)


def _require(builder: InventoryBuilder, source: str, *kinds: str) -> None:
    """Raises OpsError for a kind of source that `enable_plugins` leaves out."""
    if not builder.settings.reads(*kinds):
        enabled = ", ".join(builder.settings.enabled)
        raise OpsError("inventory-not-enabled", f"this is an inventory for {' or '.join(kinds)}, and enable_plugins names {enabled}",
                       Where(source), f"Add {kinds[0]} to enable_plugins, or to ANSIBLE_INVENTORY_ENABLED.", fault=Fault.USAGE)  # fmt: skip


def _no_such_source(path: str) -> OpsError:
    return OpsError(
        "inventory-not-found",
        "there is no such inventory",
        Where(path),
        f"Check the path given with -i. A list of hosts ends with a comma: -i {os.path.basename(path)},",
        fault=Fault.USAGE,
    )


def _text(text: str, path: str, builder: InventoryBuilder) -> None:
    title = f"inventory file {os.path.basename(path)}"
    if path.endswith(".toml"):
        _require(builder, path, "toml")
        from opsplay.inventory.toml_groups import read_toml

        read_toml(text, path, builder, title)
    elif path.endswith(YAML_EXTENSIONS) or _looks_like_yaml(text):
        node = _yaml(text, path, builder)
        if isinstance(node, MapNode) and "plugin" in node:
            _require(builder, path, "auto", plugin_name(node))
            from opsplay.inventory.plugins import read_plugin_file

            read_plugin_file(node, path, builder)
        elif node is None:
            _require(builder, path, "ini")  # an empty file is one
        else:
            _require(builder, path, "yaml")
            from opsplay.inventory.yaml_groups import read_groups

            read_groups(node, builder, title)
    else:
        _require(builder, path, "ini")
        from opsplay.inventory.ini import read_ini

        read_ini(text, path, builder, title)


def _yaml(text: str, path: str, builder: InventoryBuilder) -> Node | None:
    if path.endswith(".json"):
        from opsplay.source.json_reader import parse_json

        return parse_json(text, path, builder.settings.limits)
    limits, duplicates = builder.settings.limits, builder.settings.duplicates
    return parse_yaml(text, path, limits=limits, duplicates=duplicates, warn=lambda error: builder.notice(str(error)))


def _looks_like_yaml(text: str) -> bool:
    """Whether the first line that says something can be no line of an INI inventory."""
    for line in text.splitlines():
        if line.strip() and line.lstrip()[0] not in "#;":
            return bool(_YAML_START.match(line))
    return False
