"""Vars files: which files group_vars/ and host_vars/ hold for a name, and the layers they make."""

from __future__ import annotations

import os

from opsplay.errors import OpsError
from opsplay.source.limits import INVENTORY
from opsplay.source.text_file import Opener
from opsplay.source.yaml_reader import read_yaml
from opsplay.source.yaml_tree import Duplicates
from opsplay.templating.layer import VarLayer, layer_from_node

EXTENSIONS = ("", ".yml", ".yaml", ".json")


def vars_files_for(base_dir: str, kind: str, name: str) -> list[str]:
    """The first of NAME, NAME.yml, NAME.yaml, NAME.json in `base_dir/kind`; of a folder its files, sorted."""
    folder = os.path.join(base_dir, kind)
    try:
        present = set(os.listdir(folder))
    except OSError:
        return []
    return _files_of(folder, present, name)


def _files_of(folder: str, present: set[str], name: str) -> list[str]:
    if os.sep in name or name in ("", ".", ".."):
        return []
    for extension in EXTENSIONS:
        if name + extension in present:
            path = os.path.join(folder, name + extension)
            return _folder_files(path) if os.path.isdir(path) else [path]
    return []


def _folder_files(folder: str) -> list[str]:
    """Every vars file below a folder, sorted, hidden files and backups left out."""
    found: list[str] = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        extension = os.path.splitext(name)[1]
        if name.startswith(".") or name.endswith("~"):
            continue
        if os.path.isdir(path):
            found += [] if extension else _folder_files(path)
        elif extension in EXTENSIONS and os.path.isfile(path):
            found.append(path)
    return found


class VarsFolder:
    """One group_vars or host_vars folder: listed once, each file read once, when a name first asks for it."""

    def __init__(
        self, base: str, kind: str, vault: Opener | None, duplicates: Duplicates, notices: list[str] | None = None
    ) -> None:
        self.base = base
        self.kind = kind
        self.vault = vault
        self.duplicates = duplicates
        self.notices = notices if notices is not None else []
        self._layers: dict[str, tuple[VarLayer, ...]] = {}
        self._present: set[str] | None = None

    def layers(self, name: str, owner: str) -> tuple[VarLayer, ...]:
        """The layers of a host or group; `owner` says whose folder it is ("inventory" or "playbook")."""
        layers = self._layers.get(name)
        if layers is None:
            layers = self._layers[name] = self._read(name, owner)
        return layers

    def _read(self, name: str, owner: str) -> tuple[VarLayer, ...]:
        if self._present is None:
            try:
                self._present = set(os.listdir(os.path.join(self.base, self.kind)))
            except OSError:
                self._present = set()
        if not self._present:
            return ()
        files = _files_of(os.path.join(self.base, self.kind), self._present, name)
        return tuple(layer for path in files if (layer := self._layer(path, owner)))

    def _layer(self, path: str, owner: str) -> VarLayer:
        title = f"{owner} {os.path.relpath(path, self.base)}"
        node = read_yaml(path, vault=self.vault, limits=INVENTORY, duplicates=self.duplicates, warn=self._warn)
        return layer_from_node(title, node)

    def _warn(self, error: OpsError) -> None:
        self.notices.append(str(error))
