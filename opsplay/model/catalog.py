"""Catalog: which verb a name in a task means: a statement of the engine, an action, a module, or somebody's own module."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType

from opsplay.errors import did_you_mean
from opsplay.remote.spec import Spec

STATEMENTS = frozenset(
    ["include_tasks", "import_tasks", "include_role", "import_role", "import_playbook", "meta", "include"]
)
RENAMED = {"systemd_service": "systemd", "yum": "dnf"}
HOME_COLLECTIONS = ("ansible.builtin", "ansible.legacy", "opsplay.builtin")
KNOWN_COLLECTIONS = (
    "ansible.posix",
    "community.general",
    "community.postgresql",
    "community.crypto",
    "community.libvirt",
)


@dataclass(frozen=True)
class Verb:
    """`kind`: statement, action, module or foreign (`path` is then its file)."""

    name: str
    kind: str
    path: str = ""
    extra: dict[str, object] = field(default_factory=dict, compare=False)

    @cached_property
    def code(self) -> ModuleType:
        folder = "opsplay.actions" if self.kind == "action" else "opsplay.remote.modules"
        return importlib.import_module(f"{folder}.{self.name}")

    @property
    def spec(self) -> Spec | None:
        """Its Spec; None for statements and modules of others, whose arguments are not known here."""
        return self.code.SPEC if self.kind in ("action", "module") else None  # type: ignore[no-any-return]

    @property
    def summary(self) -> str:
        return (self.code.__doc__ or "").strip().split("\n")[0] if self.kind in ("action", "module") else ""


@lru_cache(maxsize=1)
def own_actions() -> frozenset[str]:
    return _names_in("actions") - {"arguments", "context"}


@lru_cache(maxsize=1)
def own_modules() -> frozenset[str]:
    return _names_in("remote/modules")


def _names_in(folder: str) -> frozenset[str]:
    package = Path(__file__).parent.parent / folder
    return frozenset(path.stem for path in package.glob("*.py") if path.stem[0] != "_")


class Catalog:
    """Names to verbs. `library` are folders with modules of others, nearest first; `collections_path` holds collections."""

    def __init__(self, library: Iterable[str] = (), collections_path: Iterable[str] = ()) -> None:
        self.library = tuple(str(Path(folder).expanduser()) for folder in library)
        self.collections_path = tuple(str(Path(folder).expanduser()) for folder in collections_path)
        self._found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Verb | None] = {}

    def find(self, name: str, collections: tuple[str, ...] = (), library: tuple[str, ...] = ()) -> Verb | None:
        """The verb of that name, or None. `library` are further folders (a role's own `library/`)."""
        key = (name, collections, library)
        if key not in self._found:
            self._found[key] = self._find(name, collections, library)
        return self._found[key]

    def _find(self, name: str, collections: tuple[str, ...], library: tuple[str, ...]) -> Verb | None:
        namespace, _, short = name.rpartition(".")
        if not namespace:
            return self._short(name, collections, library)
        if namespace in HOME_COLLECTIONS:
            return self._short(
                short, (), library if namespace == "ansible.legacy" else (), namespace == "ansible.legacy"
            )
        return self._in_collection(namespace, short) or (self._own(short) if namespace in KNOWN_COLLECTIONS else None)

    def _short(
        self, name: str, collections: tuple[str, ...], library: tuple[str, ...], others: bool = True
    ) -> Verb | None:
        if name in STATEMENTS:
            return Verb(name, "statement")
        for collection in collections:
            if collection not in HOME_COLLECTIONS and (found := self._in_collection(collection, name)):
                return found
        if others and (found := self._in_folders(name, (*library, *self.library))):
            return found
        return self._own(name)

    def _own(self, name: str) -> Verb | None:
        name = RENAMED.get(name, name)
        if name in own_actions():
            return Verb(name, "action")
        return Verb(name, "module") if name in own_modules() else None

    def _in_folders(self, name: str, folders: tuple[str, ...]) -> Verb | None:
        for folder in folders:
            for candidate in (
                Path(folder) / name,
                *(Path(folder) / f"{name}{suffix}" for suffix in (".py", ".sh", ".ps1", ".pl", ".rb")),
            ):
                if candidate.is_file():
                    return Verb(name, "foreign", str(candidate))
        return None

    def _in_collection(self, collection: str, name: str) -> Verb | None:
        parts = collection.split(".")
        if len(parts) < 2:
            return None
        for base in self.collections_path:
            folder = Path(base) / "ansible_collections" / parts[0] / parts[1] / "plugins" / "modules" / Path(*parts[2:])
            found = self._in_folders(name, (str(folder),))
            if found:
                return Verb(f"{collection}.{name}", "foreign", found.path)
        return None

    def names(self) -> set[str]:
        return set(own_actions() | own_modules() | STATEMENTS)

    def suggestion(self, name: str) -> str:
        return did_you_mean(name.rpartition(".")[2], self.names())
