"""Template: a string of a playbook, role, vars or inventory file that holds Jinja; the only text ever evaluated."""

from __future__ import annotations

from opsplay.errors import Where

MARKERS = ("{{", "{%", "{#")


class Template:
    """Text with Jinja in it, and its place. Compiled once, on first use; `compiled` is the engine's to fill."""

    __slots__ = ("compiled", "source", "where")

    def __init__(self, source: str, where: Where | None = None) -> None:
        self.source = source
        self.where = where
        self.compiled: object = None

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)


def template_or_text(text: str, where: Where | None = None) -> Template | str:
    """A Template where the text holds Jinja, else the text itself."""
    return Template(text, where) if any(marker in text for marker in MARKERS) else text
