"""Requirements: what `install` is asked for, on the command line or in requirements.yml; only local sources."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from opsplay.errors import Fault, OpsError, Where
from opsplay.lazy_dataclass import dataclass
from opsplay.source.nodes import plain
from opsplay.source.yaml_reader import read_yaml


@dataclass(frozen=True, slots=True)
class Requirement:
    """`name` is what to call it, "" where the content says so itself."""

    source: Path
    name: str = ""


def from_argument(text: str, kind: str, where: Where | None = None, name: str = "") -> Requirement:
    """Raises OpsError for what would need a server."""
    local = text.removeprefix("file://")
    if not Path(local).expanduser().exists():
        raise needs_server(text, kind, where)
    return Requirement(Path(local).expanduser(), name)


def needs_server(text: str, kind: str, where: Where | None) -> OpsError:
    return OpsError(
        "needs-a-server", f'"{text}" is no folder or archive here; opsplay installs a local {kind} only and asks no server', where,
        f"Fetch it by other means (git clone, a download), then: ansible-galaxy {kind} install PATH", fault=Fault.USAGE,
    )  # fmt: skip


def from_file(path: Path, kind: str) -> list[Callable[[], Requirement]]:
    """The roles or collections of a requirements.yml, old form (a list of roles) or new; each is looked for when it is called.

    Raises OpsError.
    """
    if not path.is_file():
        raise OpsError("file-not-found", f"The requirements file '{path}' does not exist.", fault=Fault.USAGE, remedy="Check the path.")
    node = read_yaml(path)
    data: Any = plain(node) if node is not None else []
    items = data.get(f"{kind}s", []) if isinstance(data, dict) else data if kind == "role" else []
    return [partial(read_item, item, kind, path) for item in items or []]


def read_item(item: Any, kind: str, path: Path) -> Requirement:
    entry = item if isinstance(item, dict) else {"name": str(item)}
    src = str(entry.get("src") or entry.get("source") or entry.get("name") or "")
    name = str(entry.get("name") or "") if entry.get("src") or entry.get("source") else ""
    if kind == "collection" and not name:
        name = ""
    beside = path.parent / src
    return from_argument(str(beside) if src and beside.exists() else src, kind, Where(str(path)), name)
