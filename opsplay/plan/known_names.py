"""Known names: every variable that something in a project sets, wherever and whenever; what is not here is set nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from opsplay.errors import OpsError
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode
from opsplay.source.yaml_reader import read_yaml

ENDINGS = (".yml", ".yaml", ".json")
HOLDERS = frozenset({"vars", "set_fact", "ansible.builtin.set_fact", "options", "data", "add_host", "ansible.builtin.add_host"})
NAMERS = frozenset({"register", "loop_var", "index_var"})
SKIPPED = frozenset({".git", ".venv", "node_modules", "__pycache__", ".opsplay", ".tox"})
MOST_FILES = 5000
# Set by modules as facts, by loops, by failed blocks, by templates.
ALWAYS = frozenset(
    ["item", "ansible_loop", "ansible_loop_var", "ansible_index_var", "ansible_failed_task", "ansible_failed_result", "services", "packages", "environment", "template_host", "template_path", "template_mtime", "template_uid", "template_fullpath", "template_run_date", "template_destpath", "omit"]
)


class KnownNames:
    """`complete` is False where a file could not be read: then no name can be said to be set nowhere."""

    def __init__(self) -> None:
        self.names: set[str] = set(ALWAYS)
        self.complete = True
        self._seen: set[str] = set()

    def add_project(self, folder: Path, vault: object = None) -> None:
        for path in yaml_files(folder):
            if str(path) not in self._seen:
                self._seen.add(str(path))
                self.add_file(path, vault)
            if len(self._seen) > MOST_FILES:
                self.complete = False
                return

    def add_file(self, path: Path, vault: object) -> None:
        try:
            node = read_yaml(path, vault=vault, duplicates="warn", warn=lambda error: None)  # type: ignore[arg-type]
        except (OpsError, OSError):
            self.complete = self.complete and path.suffix not in ("", *ENDINGS)
            return
        if isinstance(node, MapNode):
            self.names.update(str(key.value) for key, _ in node.pairs)
        if node is not None:
            self.names.update(names_set_in(node))

    def __contains__(self, name: str) -> bool:
        return name in self.names or name.startswith("ansible_")


def yaml_files(folder: Path) -> Iterator[Path]:
    """The YAML files below a folder, and the files without an ending in its group_vars and host_vars."""
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        in_vars = bool({"group_vars", "host_vars"} & set(Path(base).parts))
        for name in sorted(files):
            if name.endswith(ENDINGS) or (in_vars and "." not in name):
                yield Path(base, name)


def names_set_in(node: Node) -> Iterator[str]:
    if isinstance(node, ListNode):
        for item in node.items:
            yield from names_set_in(item)
    if not isinstance(node, MapNode):
        return
    if "role" in node:
        yield from (str(key.value) for key, _ in node.pairs)
    for key, value in node.pairs:
        name = str(key.value)
        if name in HOLDERS:
            yield from held(value)
        elif name in NAMERS and isinstance(value, ScalarNode):
            yield str(value.value)
        elif name == "vars_prompt" and isinstance(value, ListNode):
            yield from (str(item.get("name").value) for item in value.items if isinstance(item, MapNode) and isinstance(item.get("name"), ScalarNode))  # type: ignore[union-attr]
        yield from names_set_in(value)


def held(value: Node) -> Iterator[str]:
    """The keys of a mapping, and the names in `key=value` text."""
    if isinstance(value, MapNode):
        yield from (str(key.value) for key, _ in value.pairs)
    elif isinstance(value, ScalarNode) and isinstance(value.value, str):
        yield from (word.split("=")[0] for word in value.value.split() if "=" in word)
