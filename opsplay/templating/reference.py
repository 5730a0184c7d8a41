"""The reference pages of filters, tests and lookups, made from their tables and docstrings."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from opsplay.templating import filters, lookups, tests

INTRODUCTIONS = {
    "filters": "Filters change a value: `{{ path | basename }}`. Jinja's own filters are there as well.",
    "tests": "Tests answer yes or no: `when: result is failed`. Jinja's own tests are there as well.",
    "lookups": (
        "Lookups read things on the controller: `{{ lookup('file', 'motd') }}`, `{{ query('fileglob', '*.conf') }}`, "
        "`with_NAME:`. What they read is data: it is never evaluated. All take `wantlist=true` and "
        "`errors='strict'|'warn'|'ignore'`."
    ),
}
PACKAGES: dict[str, Any] = {"filters": filters, "tests": tests, "lookups": lookups}
ORDER = ("ansible.builtin", "community.general", "ansible.utils")


def functions_of(kind: str) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Collection, name and function of everything in a table, the files of which are imported for it."""
    package = PACKAGES[kind]
    for file, (collection, names) in package.FILES.items():
        module = importlib.import_module(f"{package.__name__}.{file}")
        table = getattr(module, kind.upper())
        for name in names:
            yield collection, name, table[name]


def page(kind: str) -> str:
    """A whole page of Markdown."""
    lines = [f"# {kind.capitalize()}", "", INTRODUCTIONS[kind], "", "Made from the docstrings; do not edit.", ""]
    entries = sorted(functions_of(kind), key=lambda entry: (ORDER.index(entry[0]), entry[1]))
    for collection in ORDER:
        own = [(name, function) for found, name, function in entries if found == collection]
        if own:
            lines += [f"## {collection}", "", "| name | arguments | does |", "|---|---|---|"]
            lines += [f"| `{name}` | {arguments(kind, function)} | {summary(function)} |" for name, function in own]
            lines.append("")
    return "\n".join(lines)


def summary(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").splitlines()[0].replace("|", "\\|")


def arguments(kind: str, function: Callable[..., Any]) -> str:
    """What may follow the value, as Python writes it."""
    if kind == "lookups":
        told = re.search(r"^Options: (.*)$", inspect.getdoc(function) or "", re.MULTILINE)
        return f"`{told[1].rstrip('.')}`" if told else ""
    names = list(inspect.signature(function).parameters.values())
    if getattr(function, "jinja_pass_arg", None) is not None:
        names = names[1:]
    rest = names if names and names[0].kind == names[0].VAR_POSITIONAL else names[1:]
    shown = [_shown(item) for item in rest]
    return f"`{', '.join(shown)}`" if shown else ""


def _shown(item: inspect.Parameter) -> str:
    stars = "*" if item.kind is item.VAR_POSITIONAL else "**" if item.kind is item.VAR_KEYWORD else ""
    default = "" if item.default is item.empty else f"={item.default!r}"
    return f"{stars}{item.name}{default}".replace("|", "\\|")


def write_pages(folder: str) -> None:
    for kind in PACKAGES:
        with open(f"{folder}/{kind}.md", "w", encoding="utf-8") as stream:
            stream.write(page(kind))


if __name__ == "__main__":
    import sys

    write_pages(sys.argv[1])
