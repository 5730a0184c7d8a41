"""INI inventories: [group], [group:children] and [group:vars] sections, host lines with key=value variables."""

from __future__ import annotations

import re
import shlex
from dataclasses import field

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.inventory.builder import InventoryBuilder
from opsplay.inventory.hostnames import expand_host
from opsplay.inventory.literals import literal
from opsplay.lazy_dataclass import dataclass
from opsplay.templating.layer import VarLayer

_SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?$")
_CHILD = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?$")
_NEEDS_SHELL_SPLIT = re.compile(r"[\"'\\#]")
KINDS = ("children", "hosts", "vars")


@dataclass(slots=True)
class IniReader:
    """Reads one text into a builder. `undefined` are groups that were named before any section defined them."""

    builder: InventoryBuilder
    path: str
    title: str
    group: str = "ungrouped"
    kind: str = "hosts"
    defined: set[str] = field(default_factory=lambda: {"all", "ungrouped"})
    undefined: dict[str, OpsError] = field(default_factory=dict)
    variables: dict[str, tuple[dict[str, object], dict[str, Where]]] = field(default_factory=dict)

    def read(self, text: str) -> None:
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if line and line[0] not in "#;":
                self._line(line, number, len(raw) - len(raw.lstrip()) + 1)
        for name, error in self.undefined.items():
            if name not in self.defined:
                error.remedy = (did_you_mean(name, self.defined) + f" Otherwise add a section [{name}].").strip()
                raise error
        for name, (values, wheres) in self.variables.items():
            self.builder.set_group_vars(name, VarLayer(f"{self.title} [{name}:vars]", values, wheres))

    def _line(self, line: str, number: int, column: int) -> None:
        section = _SECTION.match(line) if line[0] == "[" else None
        if section:
            self._section(section, Where(self.path, number, column))
        elif self.kind == "hosts":
            self._host(line, number, column)
        elif self.kind == "children":
            self._child(line, Where(self.path, number, column))
        else:
            self._variable(line, number, column)

    def _section(self, section: re.Match[str], where: Where) -> None:
        self.kind = section["kind"] or "hosts"
        if self.kind not in KINDS:
            raise OpsError(
                "inventory-bad-section",
                f'a section cannot be ":{self.kind}"',
                Where(where.path, where.line, where.column + section.start("kind")),
                did_you_mean(self.kind, KINDS) or "A section is [group], [group:children] or [group:vars].",
                width=len(self.kind),
            )
        name = section["group"]
        self.group = self.builder.add_group(name, where)
        if self.kind == "vars":
            self._expect(name, f'[{name}:vars] sets variables of a group "{name}" that no section defines', where)
        else:
            self.defined.add(name)

    def _expect(self, name: str, message: str, where: Where) -> None:
        known = self.builder.groups.get(name)
        if name not in self.defined and not (known and (known.hosts or known.children or known.parents)):
            self.undefined.setdefault(name, OpsError("inventory-undefined-group", message, where))

    def _child(self, line: str, where: Where) -> None:
        found = _CHILD.match(line)
        if not found:
            raise OpsError(
                "inventory-bad-child",
                "a :children section lists group names, one on each line",
                where,
                "Hosts and variables go into [group] and [group:vars].",
                width=len(line),
            )
        name = found["group"]
        self._expect(name, f'[{self.group}:children] names a group "{name}" that no section defines', where)
        self.builder.add_child(self.group, self.builder.add_group(name, where), where)

    def _variable(self, line: str, number: int, column: int) -> None:
        name, equals, value = line.partition("=")
        where = Where(self.path, number, column)
        if not equals:
            raise OpsError(
                "inventory-bad-variable",
                "a :vars section holds key=value lines",
                where,
                "Write NAME=VALUE.",
                width=len(line),
            )
        values, wheres = self.variables.setdefault(self.group, ({}, {}))
        name = name.strip()
        values[name] = literal(value.strip(), where)
        wheres[name] = where

    def _host(self, line: str, number: int, column: int) -> None:
        where = Where(self.path, number, column)
        words = _words(line, where)
        if not words:
            return
        names, port = expand_host(words[0], where)
        layer = self._host_layer(words, line, where, port) if port is not None or len(words) > 1 else None
        for name in names:
            self.builder.add_host(name, self.group, where)
            if layer is not None:
                self.builder.set_host_vars(name, layer)

    def _host_layer(self, words: list[str], line: str, where: Where, port: int | None) -> VarLayer:
        values: dict[str, object] = {}
        wheres: dict[str, Where] = {}
        if port is not None:
            values["ansible_port"], wheres["ansible_port"] = port, where
        cursor = len(words[0])
        for word in words[1:]:
            name, equals, value = word.partition("=")
            cursor = max(cursor, line.find(name + equals, cursor))
            place = Where(where.path, where.line, where.column + cursor)
            if not equals:
                raise _not_a_variable(word, place)
            values[name], wheres[name] = literal(value, place), place
        return VarLayer(self.title, values, wheres)


def _words(line: str, where: Where) -> list[str]:
    """The words of a host line, as a shell would split them, without the comment."""
    if not _NEEDS_SHELL_SPLIT.search(line):
        return line.split()
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        quote = min((position for position in map(line.find, "\"'") if position >= 0), default=0)
        place = Where(where.path, where.line, where.column + quote)
        raise OpsError(
            "inventory-unclosed-quote",
            "this quote is never closed on its line",
            place,
            "Close it, or escape it with \\.",
        ) from None


def _not_a_variable(word: str, where: Where) -> OpsError:
    return OpsError(
        "inventory-bad-variable",
        f'after the host name come key=value pairs; "{word[:40]}" is none',
        where,
        "Quote values that hold spaces, and start comments with #.",
        width=len(word),
    )


def read_ini(text: str, path: str, builder: InventoryBuilder, title: str) -> None:
    """Adds everything that an INI text says to the builder."""
    IniReader(builder, path, title).read(text)
