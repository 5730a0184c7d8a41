"""Loading a user's own filters, tests and lookups, written for Ansible, from their folders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from opsplay.errors import OpsError, Where

CLASSES = {"filter": ("FilterModule", "filters"), "test": ("TestModule", "tests")}


def load_folder(kind: str, folder: str) -> dict[str, Any]:
    """Every plugin of a folder, by name. A folder that is not there has none."""
    found: dict[str, Any] = {}
    for path in sorted(Path(folder).glob("*.py")):
        if path.name != "__init__.py":
            found = {**plugins_of(kind, path), **found}
    return found


def load_collection(kind: str, folder: str, collection: str) -> dict[str, Any]:
    """The plugins of an installed collection (`ansible_collections/NAMESPACE/NAME/plugins/...`)."""
    namespace, _, name = collection.partition(".")
    return load_folder(kind, str(Path(folder) / "ansible_collections" / namespace / name / "plugins" / kind))


def plugins_of(kind: str, path: Path) -> Mapping[str, Any]:
    module = load_file(path)
    if kind == "lookup":
        found = getattr(module, "LookupModule", None)
        return {} if found is None else {path.stem: found}
    class_name, method = CLASSES[kind]
    owner = getattr(module, class_name, None)
    return {} if owner is None else dict(getattr(owner(), method)())


def load_file(path: Path) -> ModuleType:
    from opsplay.templating.ansible_names import ansible_names

    name = f"opsplay_user_plugins.{path.stem}_{abs(hash(str(path)))}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with ansible_names():
            spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise OpsError(
            "plugin-does-not-load",
            f"the plugin cannot be imported: {type(error).__name__}: {error}",
            Where(str(path)),
            "What it imports must be installed beside opsplay; for parts of Ansible: pip install ansible-core",
        ) from error
    return module
