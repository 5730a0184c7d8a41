"""What ansible-core documents of its modules: options, returned keys and check mode, read from the fetched package as data."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

STATEMENTS = ("import_playbook", "import_role", "import_tasks", "include_role", "include_tasks", "meta")  # keywords, not verbs
INTERNAL = ("async_wrapper",)


@dataclass(frozen=True)
class Document:
    name: str
    options: dict[str, Any]
    returns: dict[str, Any]
    check_mode: str


def documents(checkout: Path) -> list[Document]:
    """One of each module; Ansible's code is neither imported nor run."""
    folder = checkout / "lib" / "ansible" / "modules"
    paths = [path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")]
    return [document(path, checkout) for path in paths if path.stem not in (*STATEMENTS, *INTERNAL)]


def document(path: Path, checkout: Path) -> Document:
    texts = constants(path)
    said = yaml.load(texts["DOCUMENTATION"], yaml.CSafeLoader)
    options, attributes = dict(said.get("options") or {}), dict(said.get("attributes") or {})
    for name in as_list(said.get("extends_documentation_fragment")):
        shared = fragment(name, checkout)
        for own, more in ((options, shared.get("options")), (attributes, shared.get("attributes"))):
            own.update({key: {**value, **(own.get(key) or {})} for key, value in (more or {}).items()})
    returns = yaml.load(texts.get("RETURN") or "{}", yaml.CSafeLoader) or {}
    support = str((attributes.get("check_mode") or {}).get("support", "none"))
    return Document(path.stem, options, returns, support)


def fragment(name: str, checkout: Path) -> dict[str, Any]:
    short, _, section = name.removeprefix("ansible.builtin.").partition(".")
    texts = constants(checkout / "lib" / "ansible" / "plugins" / "doc_fragments" / f"{short}.py")
    return dict(yaml.load(texts[section.upper() or "DOCUMENTATION"], yaml.CSafeLoader) or {})


def constants(path: Path) -> dict[str, str]:
    """Every string that is given a name, in the file or in a class of it."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return found


def as_list(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]
