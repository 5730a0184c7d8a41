"""The code that travels: sources of opsplay.remote, and which of them a module needs."""

from __future__ import annotations

import os
import re
import zlib
from functools import cache

import opsplay.remote

PACKAGE = "opsplay.remote"
MODULES = PACKAGE + ".modules."
BESIDE = PACKAGE + ".beside"  # sent when it is first needed: the bootstrap stays small
CORE = ("spec", "frames", "watch", "system", "perform", "interpreter")
ON_DEMAND = ("process", "atomic_write", "background", "host_facts")  # what the core imports only when it is needed

# Imports of ours: `from MODULE import NAMES`, with or without parentheses, and `import MODULE`.
IMPORT = re.compile(
    r"^[ \t]*(?:from (opsplay\.remote[\w.]*) import[ \t]*(\([^)]*\)|(?:[^\n\\]|\\\n)*)|import (opsplay\.remote\.[\w.]+))", re.M
)
NOT_A_NAME = re.compile(r"#.*|[()\\]")


class UnknownModule(LookupError):
    """No file of that name is in opsplay/remote/modules."""


@cache
def source(name: str) -> str:
    """The source of a module by its full name (opsplay.remote.system)."""
    path = _files().get(name)
    if path is None:
        raise UnknownModule(name)
    with open(path, encoding="utf-8") as handle:
        return handle.read()


@cache
def _files() -> dict[str, str]:
    """The file of each module by its full name."""
    found: dict[str, str] = {}
    top = os.path.dirname(opsplay.remote.__file__)
    for folder, _, names in os.walk(top):
        package = ".".join((PACKAGE, *os.path.relpath(folder, top).split(os.sep))).removesuffix("..")
        for name in names:
            if name.endswith(".py"):
                found[package if name == "__init__.py" else f"{package}.{name[:-3]}"] = os.path.join(folder, name)
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """Full names of the files of ours that the source imports, in functions too. Parsing would take ten times as long."""
    found: set[str] = set()
    for module, names, plain in IMPORT.findall(source(name)):
        if plain:
            found.add(plain)
        else:
            found.update(_imported_from(module, names))
    return frozenset(found)


def _imported_from(module: str, names: str) -> set[str]:
    """`from folder import file` names a file, `from file import name` does not."""
    words = NOT_A_NAME.sub(" ", names).split(",")
    inner = {f"{module}.{word.split()[0]}" for word in words if word.strip()}
    inner = {name for name in inner if _exists(name)}
    return inner if module == PACKAGE else inner | {module}


def _exists(name: str) -> bool:
    return name in _files()


@cache
def closure(name: str) -> frozenset[str]:
    """The full name and everything of ours that it needs."""
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in needed and one not in (PACKAGE, MODULES.rstrip(".")):
            needed.add(one)
            waiting.extend(imports(one))
            waiting.append(one.rpartition(".")[0])
    return frozenset(needed)


@cache
def core_names() -> frozenset[str]:
    """The names that the bootstrap ships: the interpreter and all it may import by itself."""
    names = frozenset(f"{PACKAGE}.{stem}" for stem in CORE + ON_DEMAND)
    return frozenset(needed for name in names for needed in closure(name))


def module_files(module: str) -> frozenset[str]:
    """What has to be on the host to run a module, besides the core."""
    if not module.replace("_", "a").isalnum():
        raise UnknownModule(module)
    return closure(MODULES + module) - core_names()


@cache
def core_payload() -> bytes:
    """The compressed core: what the stub reads from its stdin."""
    return zlib.compress(repr({name: source(name) for name in sorted(core_names())}).encode(), 6)
