"""Bundle: a Python module of somebody else with the module_utils it imports, as one zip that Python can run from."""

from __future__ import annotations

import ast
import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from opsplay.errors import Fault, OpsError, Where
from opsplay.lazy_dataclass import dataclass

UTILS = "ansible.module_utils"
BASIC = "ansible.module_utils.basic"
DATE = (1980, 1, 1, 0, 0, 0)  # the same content is the same zip, and is sent once


@dataclass(frozen=True, slots=True)
class Bundle:
    name: str  # the module's full Python name in the zip
    data: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where code is looked for: folders of module_utils, nearest first, and collections."""

    utils: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()

    def find(self, name: str) -> tuple[Path | None, bool] | None:
        """(file, whether it is a package) of a dotted name; a package without a file of its own has None."""
        parts = name.split(".")
        if parts[0] == "ansible":
            return self._ansible(parts)
        if parts[0] == "ansible_collections":
            if len(parts) <= 2:
                return None, True
            return next((found for base in self.collections if (found := on_disk(Path(base, *parts)))), None)
        return None

    def _ansible(self, parts: list[str]) -> tuple[Path | None, bool] | None:
        if len(parts) == 1:
            return None, True
        if parts[1] != "module_utils":
            return None
        if len(parts) > 2:
            for folder in self.utils:
                found = on_disk(Path(folder, *parts[2:]))
                if found is not None:
                    return found
        return on_disk(Path(ansible_folder(), *parts[1:]))


def on_disk(path: Path) -> tuple[Path | None, bool] | None:
    if path.with_name(path.name + ".py").is_file():
        return path.with_name(path.name + ".py"), False
    if path.is_dir():
        start = path / "__init__.py"
        return (start if start.is_file() else None), True
    return None


def ansible_folder() -> str:
    """The folder of the package `ansible`, found without importing it. Raises OpsError where it is not installed."""
    found = importlib.util.find_spec("ansible")
    places = list(found.submodule_search_locations or ()) if found else []
    if not places or not Path(places[0], "module_utils", "basic.py").is_file():
        raise OpsError(
            "needs-ansible-core", "this module imports ansible.module_utils, and ansible-core is not installed beside opsplay",
            remedy='Install it: pip install "opsplay[ansible]"', fault=Fault.USAGE,
        )  # fmt: skip
    return places[0]


def make_bundle(path: str, code: bytes, name: str, shelf: Shelf) -> Bundle:
    """The zip for a module's file; `name` is its name in the playbook. Raises OpsError for an import that is nowhere."""
    ansible_folder()
    full = python_name(path, name)
    files = collect(full, code, path, shelf)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for arcname, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(arcname, DATE), content, zipfile.ZIP_DEFLATED)
    return Bundle(full, data.getvalue())


def python_name(path: str, name: str) -> str:
    """ansible.modules.NAME, or the place in its collection, so that relative imports work."""
    parts = Path(path).with_suffix("").parts
    if "ansible_collections" in parts:
        return ".".join(parts[parts.index("ansible_collections") :])
    return f"ansible.modules.{Path(path).stem}"


def collect(full: str, code: bytes, path: str, shelf: Shelf) -> dict[str, bytes]:
    """File name in the zip to content: the module, all it imports from the shelf, and their packages."""
    files = {full.replace(".", "/") + ".py": code}
    waiting = list(imports(code, full, False, path))
    waiting.append((BASIC, False, path))
    seen: set[str] = {full}
    for parent in parents(full):
        package(parent, shelf, files, waiting)
    while waiting:
        name, optional, importer = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found, short = longest(name, shelf)
        if found is None and not optional and is_required(name):
            raise OpsError("missing-module-utils", f"Could not find imported module support code for {name}", Where(importer),
                           "Put it into a folder module_utils/ beside the playbook or in the role, or install its collection.")  # fmt: skip
        if found is not None:
            add(short, found, shelf, files, waiting)
    internal(files, shelf, waiting)
    return files


def add(name: str, found: tuple[Path | None, bool], shelf: Shelf, files: dict[str, bytes], waiting: list[tuple[str, bool, str]]) -> None:
    for parent in parents(name):
        package(parent, shelf, files, waiting)
    file, is_package = found
    arcname = name.replace(".", "/") + ("/__init__.py" if is_package else ".py")
    if arcname not in files:
        files[arcname] = file.read_bytes() if file else b""
        waiting += imports(files[arcname], name, is_package, str(file or name))


def package(name: str, shelf: Shelf, files: dict[str, bytes], waiting: list[tuple[str, bool, str]]) -> None:
    arcname = name.replace(".", "/") + "/__init__.py"
    if arcname not in files:
        found = shelf.find(name)
        files[arcname] = found[0].read_bytes() if found and found[0] and found[1] else b""
        waiting += imports(files[arcname], name, True, name)


def internal(files: dict[str, bytes], shelf: Shelf, waiting: list[tuple[str, bool, str]]) -> None:
    """ansible.module_utils._internal whole: basic loads parts of it by names made up as it runs."""
    base = Path(ansible_folder(), "module_utils")
    for file in sorted(base.glob("_internal/**/*.py")):
        files.setdefault(f"ansible/module_utils/{file.relative_to(base)}", file.read_bytes())
    more: list[tuple[str, bool, str]] = []
    for arcname, content in list(files.items()):
        if arcname.startswith("ansible/module_utils/_internal/"):
            name = arcname.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            more += imports(content, name, arcname.endswith("/__init__.py"), arcname)
    while more:
        name, _, _ = more.pop()
        found, short = longest(name, shelf)
        if found is not None and short.replace(".", "/") + ("/__init__.py" if found[1] else ".py") not in files:
            add(short, found, shelf, files, more)


def longest(name: str, shelf: Shelf) -> tuple[tuple[Path | None, bool] | None, str]:
    """The longest beginning of the dotted name that is a file: the rest is a name inside it."""
    parts = name.split(".")
    floor = 3 if parts[0] == "ansible" else 6
    for length in range(len(parts), floor - 1, -1):
        short = ".".join(parts[:length])
        found = shelf.find(short)
        if found is not None:
            return found, short
    return None, name


def is_required(name: str) -> bool:
    return name.startswith((f"{UTILS}.", "ansible_collections.")) and "module_utils" in name


def parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def imports(code: bytes, name: str, is_package: bool, path: str) -> list[tuple[str, bool, str]]:
    """(dotted name, whether inside a try, importer) of what could be in the shelf. A file with an error is left to Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return []
    base = name if is_package else name.rpartition(".")[0]
    return [(found, optional, path) for node, optional in statements(tree, False) for found in names_in(node, base) if ours(found)]


def statements(node: ast.AST, optional: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, optional
        else:
            yield from statements(child, optional or isinstance(child, (ast.Try, ast.If, ast.FunctionDef)))


def names_in(node: ast.Import | ast.ImportFrom, base: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = node.module or ""
    if node.level:
        above = base.split(".")
        above = above[: len(above) - node.level + 1]
        module = ".".join([*above, module] if module else above)
    return [f"{module}.{alias.name}" if alias.name != "*" else module for alias in node.names]


def ours(name: str) -> bool:
    return name == UTILS or name.startswith((f"{UTILS}.", "ansible_collections."))
