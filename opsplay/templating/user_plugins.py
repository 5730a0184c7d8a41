"""Loading a user's own filters, tests and lookups, written for Ansible, from their folders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from opsplay.errors import OpsError, Where

CLASSES = {"filter": ("FilterModule", "filters"), "test": ("TestModule", "tests")}


def load_folder(kind: str, folder: str, leave_out: Callable[[str, OpsError], None]) -> dict[str, Any]:
    """Every filter or test of a folder, by name. A folder that is not there has none; `leave_out` is told of bad files."""
    found: dict[str, Any] = {}
    for path in sorted(Path(folder).glob("*.py")):
        if path.name != "__init__.py":
            try:
                found = {**plugins_of(kind, path), **found}
            except OpsError as error:
                leave_out(kind, error)
    return found


def load_lookup(folder: str, name: str) -> Any:
    """The class of a lookup: the file that has its name. None where there is none."""
    path = Path(folder) / f"{name}.py"
    if not path.is_file() or path.name == "__init__.py":
        return None
    try:
        return getattr(load_file(path, "lookup"), "LookupModule", None)
    except OpsError as error:
        error.message = f"The lookup plugin {name!r} failed to load: {error.message}"
        raise


def collection_folder(kind: str, folder: str, collection: str) -> str:
    """Where an installed collection keeps its plugins (`ansible_collections/NAMESPACE/NAME/plugins/...`)."""
    namespace, _, name = collection.partition(".")
    return str(Path(folder) / "ansible_collections" / namespace / name / "plugins" / kind)


def plugins_of(kind: str, path: Path) -> Mapping[str, Any]:
    """The filters or tests of a file. Raises OpsError for one that cannot be loaded."""
    class_name, method = CLASSES[kind]
    owner = getattr(load_file(path, kind), class_name, None)
    if owner is None:
        return {}
    try:
        return dict(getattr(owner(), method)())
    except Exception as error:
        raise does_not_load(path, error) from error


def plugin_module(path: Path, kind: str) -> str:
    """The name of its module as Ansible has it: plugins see it as `__name__`, and import relative to it."""
    from opsplay.templating.collection_imports import module_name

    unique = "" if kind == "lookup" else f"_{abs(hash(str(path)))}"
    return module_name(path) or f"ansible.plugins.{kind}.{path.stem}{unique}"


def load_file(path: Path, kind: str) -> ModuleType:
    """The module of a plugin. Raises OpsError."""
    from opsplay.templating.ansible_names import ansible_names
    from opsplay.templating.collection_imports import ROOT, import_parents

    name = plugin_module(path, kind)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        with ansible_names():
            if name.startswith(f"{ROOT}."):
                import_parents(name, path)
            sys.modules[name] = module
            spec.loader.exec_module(module)
    except Exception as error:
        sys.modules.pop(name, None)
        raise does_not_load(path, error) from error
    return module


def does_not_load(path: Path, error: Exception) -> OpsError:
    return OpsError(
        "plugin-does-not-load",
        f"{error} ({type(error).__name__})",
        Where(str(path)),
        "What it imports must be installed beside opsplay; for parts of Ansible: pip install ansible-core",
    )
