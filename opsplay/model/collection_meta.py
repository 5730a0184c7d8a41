"""What a collection's meta/runtime.yml says of its modules: other names, what was removed, action groups, action plugins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from opsplay.errors import OpsError, Where
from opsplay.source.nodes import plain
from opsplay.source.yaml_reader import read_yaml

Data = Mapping[str, Any]


@cache
def collection_meta(folder: str) -> Data:
    """The mapping in a collection's meta/runtime.yml; empty where there is none or it cannot be read."""
    path = Path(folder, "meta", "runtime.yml")
    if not path.is_file():
        return {}
    try:
        node = read_yaml(path)
    except OpsError:
        return {}
    data = plain(node) if node is not None else {}
    return data if isinstance(data, dict) else {}


def routing(folder: str, kind: str, name: str) -> Data:
    """What plugin_routing says of a module ("modules") or action plugin ("action")."""
    table = (collection_meta(folder).get("plugin_routing") or {}).get(kind) or {}
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def check_removed(entry: Data, name: str, folder: str) -> None:
    """Raises OpsError for a module that the collection has removed."""
    removed = entry.get("tombstone")
    if isinstance(removed, dict):
        raise OpsError("removed-module", f"{name} has been removed. {removed.get('warning_text', '')}".strip(),
                       Where(str(Path(folder, "meta", "runtime.yml"))), "Use what its collection names instead.")  # fmt: skip


def group_members(folder: str, collection: str, group: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Full names in an action group, those of the groups that it extends included."""
    if group in seen:
        return set()
    items = (collection_meta(folder).get("action_groups") or {}).get(group) or []
    members: set[str] = set()
    for item in items:
        if isinstance(item, str):
            members.add(item if "." in item else f"{collection}.{item}")
        elif isinstance(item, dict) and isinstance(item.get("metadata"), dict):
            extended = item["metadata"].get("extend_group") or []
            for other in [extended] if isinstance(extended, str) else extended if isinstance(extended, list) else []:
                if str(other).rpartition(".")[0] in ("", collection):
                    members |= group_members(folder, collection, str(other).rpartition(".")[2], seen | {group})
    return members
