"""Reading: which variables, filters and tests a template or a condition uses, without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from functools import lru_cache
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from opsplay.lazy_dataclass import dataclass

GUARDS = frozenset({"default", "d", "ansible.builtin.default"})
PROBES = frozenset({"defined", "undefined"})


@dataclass(frozen=True, slots=True)
class Reading:
    """`names` have to be there; `probed` are asked for with `is defined` or have a default; `syntax` says what is wrong."""

    names: frozenset[str] = frozenset()
    probed: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()
    syntax: str = ""


@dataclass
class _Notes:
    names: set[str] = field(default_factory=set)
    probed: set[str] = field(default_factory=set)


class _AnyName(dict[str, Any]):
    """Jinja's own check of filters and tests would stop at the first unknown one."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, str)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=False)  # nothing is rendered
    environment.filters = _AnyName(environment.filters)
    environment.tests = _AnyName(environment.tests)
    return environment


@lru_cache(maxsize=20_000)
def read_text(text: str, bare: bool = False) -> Reading:
    """`bare`: the text is an expression, as in `when`."""
    enclosed = text.strip().startswith(("{{", "{%"))
    try:
        tree = _environment().parse(text if not bare or enclosed else "{{ " + text + " }}")
    except TemplateSyntaxError as error:
        return Reading(syntax=error.message or "it cannot be parsed")
    except RecursionError:
        return Reading()
    notes = _Notes()
    _visit(tree, False, notes)
    free = meta.find_undeclared_variables(tree)
    return Reading(
        frozenset(notes.names & free - notes.probed), frozenset(notes.probed),
        frozenset(node.name for node in tree.find_all(nodes.Filter)), frozenset(node.name for node in tree.find_all(nodes.Test)),
    )  # fmt: skip


def _visit(node: nodes.Node, shielded: bool, notes: _Notes) -> None:
    if isinstance(node, nodes.Name):
        if node.ctx == "load":
            (notes.probed if shielded else notes.names).add(node.name)
        return
    shields = (isinstance(node, nodes.Filter) and node.name in GUARDS) or (isinstance(node, nodes.Test) and node.name in PROBES)
    for name, child in _children(node):
        _visit(child, (shields and name == "node") or (shielded and isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Filter))), notes)


def _children(node: nodes.Node) -> Iterator[tuple[str, nodes.Node]]:
    for name, value in node.iter_fields():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, nodes.Node):
                yield name, item
