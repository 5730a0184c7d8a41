"""Imports between plugins of collections: `ansible_collections.NAMESPACE.NAME...` is importable while they are used."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

ROOT = "ansible_collections"


def know_collections(bases: Iterable[str]) -> None:
    """From now on these folders hold collections, the nearest first. What was imported from others is forgotten."""
    folders = [str(Path(base).expanduser().absolute() / ROOT) for base in bases]
    root = sys.modules.get(ROOT)
    if root is not None and list(root.__path__) == folders:
        return
    for name in [name for name in sys.modules if name == ROOT or name.startswith(f"{ROOT}.")]:
        del sys.modules[name]
    root = ModuleType(ROOT)
    root.__path__ = folders
    sys.modules[ROOT] = root
    importlib.invalidate_caches()


def module_name(path: Path) -> str:
    """The name that a file of a collection is imported by; nothing for any other file."""
    parts = path.absolute().with_suffix("").parts
    if ROOT not in parts:
        return ""
    names = parts[len(parts) - 1 - parts[::-1].index(ROOT) :]
    return ".".join(names) if len(names) > 3 and all(name.isidentifier() for name in names) else ""


def import_parents(name: str, path: Path) -> None:
    """The packages around a file: what its relative imports start from."""
    base = path.absolute().parents[name.count(".")]
    known = [Path(folder).parent for folder in sys.modules[ROOT].__path__] if ROOT in sys.modules else []
    if base not in known:
        know_collections([str(base), *map(str, known)])
    importlib.import_module(name.rpartition(".")[0])
