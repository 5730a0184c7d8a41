"""Documents of modules and plugins of others: the DOCUMENTATION, EXAMPLES and RETURN texts in a Python file, not run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from opsplay.errors import OpsError
from opsplay.model.catalog import Verb
from opsplay.source.nodes import plain
from opsplay.source.yaml_reader import parse_yaml


def foreign_document(verb: Verb) -> dict[str, Any]:
    texts = embedded_texts(Path(verb.path))
    doc = read(texts.get("DOCUMENTATION", ""), verb.path)
    doc.setdefault("short_description", "A module of yours.")
    doc.setdefault("options", {})
    doc.update(module=verb.name, filename=verb.path)
    return {"doc": doc, "examples": texts.get("EXAMPLES", "").strip(), "return": read(texts.get("RETURN", ""), verb.path), "metadata": None}


def embedded_texts(path: Path) -> dict[str, str]:
    """The module-level strings of a Python file, by name; none where it is no Python. A .yml beside it counts, too."""
    beside = next((path.with_suffix(end) for end in (".yml", ".yaml") if path.with_suffix(end).is_file()), None)
    if beside is not None and beside != path:
        data = parse_yaml(beside.read_text(encoding="utf-8"), str(beside))
        return {str(key): _as_text(value) for key, value in (plain(data) if data else {}).items()}  # type: ignore[attr-defined]
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):
        return {}
    found: dict[str, str] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
            found.update({target.id: statement.value.value for target in statement.targets if isinstance(target, ast.Name)})
    return found


def _as_text(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, default=str)


def read(text: str, path: str) -> dict[str, Any]:
    try:
        node = parse_yaml(text, path)
    except OpsError:
        return {}
    data = plain(node) if node is not None else {}
    return data if isinstance(data, dict) else {}
