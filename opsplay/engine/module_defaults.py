"""module_defaults: arguments a play or block gives to modules by name or by action group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from opsplay.model.catalog import HOME_COLLECTIONS, Catalog, Verb
from opsplay.model.play import Task


def names_for(verb: Verb, written: str) -> set[str]:
    """Every way to write the verb's name."""
    short = verb.name.rpartition(".")[2]
    names = {verb.name, written, short}
    if "." not in verb.name:
        names |= {f"{home}.{short}" for home in HOME_COLLECTIONS}
    return names


def defaults_for(
    verb: Verb, task: Task, layers: object, render: Callable[[object], Any], catalog: Catalog, written: str = ""
) -> dict[str, Any]:
    names = names_for(verb, written or task.written)
    found: dict[str, Any] = {}
    for layer in layers if isinstance(layers, Iterable) else ():
        rendered = layer if isinstance(layer, dict) else render(layer)
        if not isinstance(rendered, dict):
            continue
        for name, args in rendered.items():
            if str(name) in names or (str(name).startswith("group/") and in_group(names, str(name)[6:], task, catalog)):
                found.update(args if isinstance(args, dict) else render(args) or {})
    return found


def in_group(names: set[str], group: str, task: Task, catalog: Catalog) -> bool:
    """Whether one of the names is in an action group: the meta/runtime.yml of the group's collection says so."""
    collections = task.keywords.get("collections", ())
    return bool(names & catalog.group(group, tuple(str(item) for item in collections)))  # type: ignore[attr-defined]
