"""Collections as content: install from a folder or archive, list, and the skeleton of a new one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opsplay.content.requirements import Requirement
from opsplay.content.unpacking import place, unpacked
from opsplay.errors import Fault, OpsError
from opsplay.source.nodes import plain
from opsplay.source.yaml_reader import read_yaml

NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
SKELETON = {
    "README.md": "# Collection {namespace}.{name}\n",
    "docs/.gitkeep": "",
    "galaxy.yml": "namespace: {namespace}\nname: {name}\nversion: 1.0.0\nreadme: README.md\nauthors:\n  - your name <you@example.org>\n"
    "description: your collection description\nlicense:\n  - Apache-2.0\ndependencies: {{}}\nbuild_ignore: []\n",
    "meta/runtime.yml": "---\nrequires_ansible: '>=2.15.0'\n",
    "plugins/README.md": "Modules go to plugins/modules, filters to plugins/filter, lookups to plugins/lookup.\n",
    "roles/.gitkeep": "",
}


def install(requirement: Requirement, folder: Path, force: bool) -> str:
    """What was done. Raises OpsError for what is no collection."""
    with unpacked(requirement.source) as content:
        facts = identity(content, requirement.source)
        full, version = f"{facts['namespace']}.{facts['name']}", str(facts.get("version") or "*")
        target = folder / "ansible_collections" / str(facts["namespace"]) / str(facts["name"])
        if target.exists() and not force:
            return f"Nothing to do. '{full}' is already installed. If you want to reinstall it, consider using `--force`."
        missing = [name for name in facts.get("dependencies") or {} if not (folder / "ansible_collections" / name.replace(".", "/")).is_dir()]
        place(content, target, tuple(str(item) for item in facts.get("build_ignore") or ()))
        write_manifest(target, facts)
    lines = [f"Installing '{full}:{version}' to '{target}'", f"{full}:{version} was installed successfully"]
    lines += [f"[WARNING]: {full} needs {name}, which is not installed here" for name in missing]
    return "\n".join(lines)


def identity(content: Path, source: Path) -> dict[str, Any]:
    """Namespace, name, version and dependencies, from MANIFEST.json or galaxy.yml."""
    manifest, galaxy = content / "MANIFEST.json", content / "galaxy.yml"
    data: Any = None
    if manifest.is_file():
        data = json.loads(manifest.read_text(encoding="utf-8")).get("collection_info")
    elif galaxy.is_file():
        node = read_yaml(galaxy)
        data = plain(node) if node is not None else None
    if not isinstance(data, dict) or not NAME.match(f"{data.get('namespace')}.{data.get('name')}"):
        raise OpsError("not-a-collection", f"{source} holds no collection: there is neither MANIFEST.json nor galaxy.yml with namespace and name",
                       fault=Fault.USAGE, remedy="Give the folder of the collection, or an archive of it.")  # fmt: skip
    return data


def write_manifest(target: Path, facts: dict[str, Any]) -> None:
    """MANIFEST.json, from which `list` reads the version, where the source had galaxy.yml only."""
    manifest = target / "MANIFEST.json"
    if not manifest.exists():
        info = {key: facts.get(key) for key in ("namespace", "name", "version", "authors", "description", "license", "dependencies")}
        manifest.write_text(json.dumps({"collection_info": info, "format": 1}, indent=1, default=str), encoding="utf-8")


def installed(folders: list[Path]) -> Iterator[tuple[Path, list[tuple[str, str]]]]:
    """Each folder that has collections, and their names and versions."""
    for folder in folders:
        base = folder / "ansible_collections"
        found = [(f"{path.parent.name}.{path.name}", version_of(path)) for path in sorted(base.glob("*/*")) if path.is_dir()]
        if found:
            yield base, found


def version_of(path: Path) -> str:
    try:
        return str(identity(path, path).get("version") or "*")
    except (OpsError, ValueError, OSError):
        return "*"


def create(full: str, folder: Path, force: bool) -> str:
    if not NAME.match(full):
        raise OpsError("bad-name", f"Invalid collection name '{full}', name must be in the format <namespace>.<collection>.", fault=Fault.USAGE,
                       remedy="Use lower-case letters, digits and underscores.")  # fmt: skip
    namespace, name = full.split(".")
    target = folder / namespace / name
    if target.exists() and not force:
        raise OpsError("already-there", f"the directory {target} already exists.", fault=Fault.USAGE, remedy="Use --force to write over it.")
    for path, text in SKELETON.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text.format(namespace=namespace, name=name), encoding="utf-8")
    return f"- Collection {full} was created successfully"
