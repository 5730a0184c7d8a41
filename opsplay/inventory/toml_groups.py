"""TOML inventories: tables of groups, shaped like YAML inventories."""

from __future__ import annotations

import re

from opsplay.errors import OpsError, Where
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.yaml_groups import read_groups
from opsplay.source.json_reader import node_from_plain

_PLACE = re.compile(r"\s*\(at line (\d+), column (\d+)\)")


def read_toml(text: str, path: str, builder: InventoryBuilder, title: str) -> None:
    """Adds the groups of a TOML text to the builder."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = str(error)
        found = _PLACE.search(message)
        where = Where(path, int(found[1]), int(found[2])) if found else Where(path, 1, 1)
        message = _PLACE.sub("", message) or "this is no TOML"
        raise OpsError("inventory-bad-toml", message, where, "Check the line against toml.io.") from None
    read_groups(node_from_plain(data, Where(path)), builder, title)
