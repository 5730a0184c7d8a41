"""Arguments named like a method of dict (update, copy, values) must be read as args["update"], not args.update."""

from __future__ import annotations

import ast
from pathlib import Path

import opsplay

METHODS = set(dir(dict))


def misreadings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [
        f"{path.name}:{node.lineno}: args.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in METHODS and id(node) not in called and reads_args(node.value)
    ]


def reads_args(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "args") or (isinstance(node, ast.Attribute) and node.attr == "args")


def test_no_argument_is_taken_for_a_method() -> None:
    top = Path(opsplay.__file__).parent
    paths = [*top.glob("actions/*.py"), *top.glob("remote/**/*.py")]
    assert len(paths) > 100
    found = [line for path in paths for line in misreadings(path)]
    assert not found, found
