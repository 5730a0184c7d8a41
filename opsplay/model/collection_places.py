"""Places in collections: playbooks by their full name, and which collection a file belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

FULL_NAME = re.compile(r"[a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*){2,}")
EXTENSIONS = (".yml", ".yaml")


def collection_playbook(name: str, bases: Iterable[str]) -> Path | None:
    """The file of `NAMESPACE.COLLECTION.PLAYBOOK`, with or without its extension; dots between are subfolders."""
    for extension in EXTENSIONS:
        name = name.removesuffix(extension)
    if not FULL_NAME.fullmatch(name):
        return None
    namespace, collection, *rest = name.split(".")
    for base in bases:
        folder = Path(base).expanduser() / "ansible_collections" / namespace / collection / "playbooks"
        for extension in EXTENSIONS:
            path = folder.joinpath(*rest[:-1], rest[-1] + extension)
            if path.is_file():
                return path
    return None


def collection_of(path: Path) -> str:
    """The collection whose folder the path lies in; nothing where it lies in none."""
    parts = path.absolute().parts
    if "ansible_collections" not in parts:
        return ""
    index = len(parts) - 1 - parts[::-1].index("ansible_collections")
    inside = parts[index + 1 : index + 3]
    return ".".join(inside) if len(inside) == 2 and all(part.isidentifier() for part in inside) else ""
