"""Plugins: which filters, tests and lookups there are: ours, Jinja's, and those of the user's folders."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from opsplay.errors import OpsError
from opsplay.lazy_dataclass import dataclass
from opsplay.templating import filters, tests
from opsplay.templating.failures import TemplateFailed
from opsplay.templating.undefined import Marker
from opsplay.templating.user_plugins import collection_folder, load_folder, load_lookup

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar

Function = Callable[..., Any]
Kind = Literal["filter", "test", "lookup"]
# Of an undefined list these make an undefined list, so that `missing | map(...) | default([])` holds.
PASSED_THROUGH = frozenset({"map", "select", "reject", "selectattr", "rejectattr"})
# These take any value as text; a container is made plain first, within the budget.
OF_TEXT = frozenset(
    {"capitalize", "e", "escape", "forceescape", "lower", "pprint", "safe", "string", "striptags", "title", "trim", "upper",
     "urlencode", "urlize", "wordcount", "wordwrap"}
)  # fmt: skip
PREFIXES = ("ansible.builtin.", "ansible.legacy.")


@dataclass
class Plugins:
    """Folders are searched in order; the first that has a name wins, and a user's plugin wins over ours."""

    filter_folders: list[str] = field(default_factory=list)
    test_folders: list[str] = field(default_factory=list)
    lookup_folders: list[str] = field(default_factory=list)
    collection_folders: list[str] = field(default_factory=list)
    warn: Callable[[str], None] | None = None
    broken: dict[str, OpsError] = field(default_factory=dict)  # files that were left out, by path
    _loaded: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, kind: Kind, folder: str) -> None:
        """Adds a folder (`filter_plugins/` of a playbook or a role), also while a run is going on."""
        folders = self.folders(kind)
        if folder not in folders:
            folders.append(folder)

    def folders(self, kind: Kind) -> list[str]:
        return {"filter": self.filter_folders, "test": self.test_folders, "lookup": self.lookup_folders}[kind]

    def of_user(self, kind: Kind, name: str) -> Any:
        """The user's plugin of that name, or None."""
        short = short_name(name)
        for folder in self.folders(kind):
            found = self._in_folder(kind, folder, short)
            if found is not None:
                return found
        return self._of_collection(kind, name) if name.count(".") >= 2 else None

    def _in_folder(self, kind: Kind, folder: str, short: str) -> Any:
        if kind != "lookup":
            return self._folder(kind, folder).get(short)
        found = self._loaded.setdefault((kind, folder), {})
        if short not in found:
            found[short] = load_lookup(folder, short)
        return found[short]

    def _folder(self, kind: Kind, folder: str) -> dict[str, Any]:
        if (kind, folder) not in self._loaded:
            self._loaded[kind, folder] = load_folder(kind, folder, self._leave_out)
        return self._loaded[kind, folder]

    def _leave_out(self, kind: str, error: OpsError) -> None:
        """A file that cannot be loaded takes nothing but its own plugins away."""
        path = str(error.where)
        if path not in self.broken and self.warn is not None:
            self.warn(f"Skipping {kind} plugin {path!r}: {error.message}")
        self.broken[path] = error

    def _of_collection(self, kind: Kind, name: str) -> Any:
        from opsplay.templating.collection_imports import know_collections

        collection = ".".join(name.split(".")[:2])
        know_collections(self.collection_folders)
        for folder in self.collection_folders:
            found = self._in_folder(
                kind, collection_folder(kind, folder, collection), name.removeprefix(collection + ".")
            )
            if found is not None:
                return found
        return None


def short_name(name: str) -> str:
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def index(files: Mapping[str, tuple[str, tuple[str, ...]]], also: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Every name under which something is known -> the file that holds it; short names go to the first file."""
    found: dict[str, str] = {}
    for file, (collection, names) in files.items():
        collections = [collection, *(other for other, kept in also.items() if file in kept or collection in kept)]
        for name in names:
            found.setdefault(name, file)
            found.update({f"{known}.{name}": file for known in collections})
    return found


class PluginTable(dict[str, Function]):
    """What Jinja sees as its dict of filters or of tests: filled as names are asked for."""

    def __init__(self, kind: Kind, jinja: Mapping[str, Function], plugins: Plugins, templar: Templar) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.jinja = jinja
        self.plugins = plugins
        self.templar = templar
        package: Any = filters if kind == "filter" else tests
        self.package = package
        self.index = index(package.FILES, package.ALSO)

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __missing__(self, name: str) -> Function:
        found = self[name] = self._find(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def _find(self, name: str) -> Function:
        user = self.plugins.of_user(self.kind, name)
        if user is not None:
            return self._guarded(name, user)
        file = self.index.get(name)
        if file is None:
            return self._of_jinja(name)
        module = importlib.import_module(f"{self.package.__name__}.{file}")
        function = getattr(module, f"{self.kind.upper()}S")[name.rpartition(".")[2]]
        collection = self.package.FILES[file][0]
        return self._guarded(f"{collection}.{name.rpartition('.')[2]}", function)

    def _of_jinja(self, name: str) -> Function:
        function = self.jinja.get(short_name(name))
        if function is None:
            if self.plugins.broken:  # one of them may have been it
                raise next(iter(self.plugins.broken.values()))
            raise KeyError(name)
        return listed(short_name(name), function, self.templar) if self.kind == "filter" else function

    def _guarded(self, name: str, function: Function) -> Function:
        """Plain arguments in; errors that name the plugin out."""
        takes_context = getattr(function, "jinja_pass_arg", None) is not None
        lazy = self.kind == "filter" and name.rpartition(".")[2] in filters.LAZY and name.startswith("ansible.builtin.")
        templar = self.templar
        kind = self.kind

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            templar.budget().check()
            if not lazy:
                first = args[:1] if takes_context else ()
                args = (*first, *[templar.plain(item) for item in args[len(first) :]])
                kwargs = {key: templar.plain(item) for key, item in kwargs.items()}
            try:
                result = function(*args, **kwargs)
            except OpsError:
                raise
            except Exception as error:
                raise TemplateFailed(f"The {kind} plugin '{name}' failed: {reason(error)}") from error
            templar.budget().charge(result)
            return result

        return call


def reason(error: Exception) -> str:
    """The text of an error; a KeyError's without the quotes that Python puts around it."""
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])
    return str(error) or type(error).__name__


def listed(name: str, function: Function, templar: Templar) -> Function:
    """Jinja's `map`, `select` ... as lists: what an expression gives may be read twice."""

    through = name in PASSED_THROUGH
    text = name in OF_TEXT
    position = 0 if getattr(function, "jinja_pass_arg", None) is None else 1

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if through and len(args) > position and isinstance(args[position], Marker):
            return args[position]
        if text and len(args) > position:
            args = (*args[:position], templar.plain_text(args[position]), *args[position + 1 :])
        result = function(*args, **kwargs)
        templar.budget().charge(result)
        return list(result) if isinstance(result, Iterator) else result

    return call


def known_names(kind: Kind) -> Iterable[str]:
    package: Any = filters if kind == "filter" else tests
    return index(package.FILES, package.ALSO)
