"""Catalog: which verb a name in a task means: a statement of the engine, an action, a module, or somebody's own module."""

from __future__ import annotations

import importlib
from collections.abc import Container, Iterable
from dataclasses import field
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.lazy_dataclass import dataclass
from opsplay.model.collection_meta import check_removed, group_members, routing
from opsplay.remote.spec import Spec

STATEMENTS = frozenset(
    ["include_tasks", "import_tasks", "include_role", "import_role", "import_playbook", "meta", "include"]
)
RENAMED = {"systemd_service": "systemd", "yum": "dnf", "openssl_certificate": "x509_certificate"}
HOME_COLLECTIONS = ("ansible.builtin", "ansible.legacy", "opsplay.builtin")
KNOWN_COLLECTIONS = (
    "ansible.posix",
    "community.general",
    "community.postgresql",
    "community.crypto",
    "community.libvirt",
    "community.mysql",
    "ansible.mysql",
)


@dataclass(frozen=True)
class Verb:
    """`kind`: statement, action, module, foreign (`path` is then its file) or plugin (an action plugin of somebody else)."""

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
        return self.code.SPEC if self.kind in ("action", "module") else None

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

    def __init__(
        self,
        library: Iterable[str] = (),
        collections_path: Iterable[str] = (),
        action_plugins: Iterable[str] = (),
        rejected: Container[str] = (),
    ) -> None:
        self.rejected = rejected
        self.action_plugins = tuple(str(Path(folder).expanduser()) for folder in action_plugins)
        self.library = tuple(str(Path(folder).expanduser()) for folder in library)
        self.collections_path = tuple(str(Path(folder).expanduser()) for folder in collections_path)
        self._found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Verb | None] = {}
        self._roles: dict[str, None] = {}

    def add_role(self, path: str) -> None:
        """A role that is used brings its modules to all tasks after it; the first of a name wins."""
        for folder in ("library", "action_plugins"):
            if path not in self._roles and Path(path, folder).is_dir():
                self._roles[path] = None
                self._found.clear()

    def find(self, name: str, collections: tuple[str, ...] = (), library: tuple[str, ...] = ()) -> Verb | None:
        """The verb of that name, or None. `library` are further folders (a role's own `library/`)."""
        key = (name, collections, library)
        if key not in self._found:
            self._found[key] = self._find(name, collections, library)
        return self._found[key]

    def _find(self, name: str, collections: tuple[str, ...], library: tuple[str, ...]) -> Verb | None:
        namespace, _, short = name.rpartition(".")
        if short in self.rejected and (not namespace or namespace in HOME_COLLECTIONS):
            return None
        if not namespace:
            return self._short(name, collections, library)
        if namespace in HOME_COLLECTIONS:
            return self._short(
                short, (), library if namespace == "ansible.legacy" else (), namespace == "ansible.legacy"
            )
        if namespace in KNOWN_COLLECTIONS and (own := self._own(short)):
            return own
        return self._in_collection(namespace, short)

    def _short(
        self, name: str, collections: tuple[str, ...], library: tuple[str, ...], others: bool = True
    ) -> Verb | None:
        if name in STATEMENTS:
            return Verb(name, "statement")
        for collection in collections:
            if collection not in HOME_COLLECTIONS and (found := self._in_collection(collection, name)):
                return found
        if others:
            roles = [str(Path(role, "library")) for role in self._roles]
            folders = tuple(dict.fromkeys((*roles, *library, *self.library)))
            found = self._action_plugin(name, folders) or self._in_folders(name, folders)
            if found:
                return found
        return self._own(name)

    def _action_plugin(self, name: str, libraries: tuple[str, ...]) -> Verb | None:
        """An action plugin of that name beside the folders of modules, or where the settings say."""
        beside = (Path(folder).parent / "action_plugins" for folder in libraries if Path(folder).name == "library")
        for folder in (*beside, *map(Path, self.action_plugins)):
            if (folder / f"{name}.py").is_file():
                return Verb(name, "plugin", str(folder / f"{name}.py"))
        return None

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

    def _in_collection(self, collection: str, name: str, depth: int = 0) -> Verb | None:
        for folder in self.collection_folders(collection):
            inner = Path(*collection.split(".")[2:])
            entry = routing(folder, "modules", name)
            check_removed(entry, f"{collection}.{name}", folder)
            action = entry.get("action_plugin") or routing(folder, "action", name).get("redirect")
            if (Path(folder) / "plugins" / "action" / inner / f"{name}.py").is_file() or action:
                path = Path(folder) / "plugins" / "action" / inner / f"{str(action or name).rpartition('.')[2]}.py"
                return Verb(f"{collection}.{name}", "plugin", str(path))
            if entry.get("redirect") and depth < 10:
                return self._redirected(str(entry["redirect"]), collection, depth)
            found = self._in_folders(name, (str(Path(folder) / "plugins" / "modules" / inner),))
            if found:
                return Verb(f"{collection}.{name}", "foreign", found.path)
        return None

    def _redirected(self, target: str, collection: str, depth: int) -> Verb | None:
        namespace, _, short = target.rpartition(".")
        if namespace in ("", collection):
            return self._in_collection(collection, short, depth + 1)
        return self.find(target)

    def collection_folders(self, collection: str) -> list[str]:
        """Where a collection is installed, the nearest first; two names with a dot between make one."""
        parts = collection.split(".")
        places = (
            [Path(base) / "ansible_collections" / parts[0] / parts[1] for base in self.collections_path]
            if len(parts) > 1
            else []
        )
        return [str(place) for place in places if place.is_dir()]

    def group(self, name: str, collections: Iterable[str] = ()) -> set[str]:
        """Full names of the modules in an action group, `group/NAME` of module_defaults."""
        namespace, _, short = name.rpartition(".")
        found: set[str] = set()
        for collection in (namespace,) if namespace else tuple(collections):
            for folder in self.collection_folders(collection):
                found |= group_members(folder, collection, short)
        return found

    def names(self) -> set[str]:
        return {name for name in own_actions() | own_modules() | STATEMENTS if name not in self.rejected}

    def absent_from(self, name: str) -> str:
        """The well-known collection that the name belongs to and that is not installed; nothing for what may be a slip."""
        from opsplay.model.elsewhere import SHORT, collection_of

        collection, short = collection_of(name), name.rpartition(".")[2]
        if not collection or ("." in name and self.collection_folders(collection)):
            return ""
        slip = collection in KNOWN_COLLECTIONS and SHORT.get(short) != collection and did_you_mean(short, self.names())
        return "" if slip else collection

    def suggestion(self, name: str) -> str:
        collection = self.absent_from(name)
        return installing(collection) if collection else did_you_mean(name.rpartition(".")[2], self.names())


def installing(collection: str) -> str:
    return f"It is a module of {collection}, which is not installed. Get it with: ansible-galaxy collection install {collection}"


def refuse_plugin(verb: Verb, where: Where | None) -> None:
    """Raises OpsError for an action plugin of somebody else: it is Python that runs inside Ansible's own process."""
    if verb.kind == "plugin":
        raise OpsError(
            "foreign-action-plugin", f'"{verb.name}" is an action plugin written for Ansible\'s own process ({verb.path}); opsplay cannot run it', where,
            "Use a module instead: what such a plugin does on the controller, a task with delegate_to: localhost does, too.",
            width=len(verb.name),
        )  # fmt: skip
