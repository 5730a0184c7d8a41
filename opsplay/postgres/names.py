"""Names of tables and indexes as people write them, matched against what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import sql

from opsplay.remote.spec import ModuleFailure


def split(name: str) -> tuple[str | None, str]:
    """`public.bills`, `"Odd.Name"`, `public."Bills"` -> (schema or None, name)."""
    parts: list[str] = []
    rest = name.strip()
    while rest:
        if rest.startswith('"'):
            end = rest.find('"', 1)
            while end >= 0 and rest[end + 1 : end + 2] == '"':
                end = rest.find('"', end + 2)
            if end < 0:
                raise ModuleFailure(f"{name}: a quote is not closed")
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].removeprefix(".")
        else:
            part, _, rest = rest.partition(".")
            parts.append(part.lower())
    if not 1 <= len(parts) <= 2:
        raise ModuleFailure(f"{name} is not a name or schema.name")
    return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])


def chosen(rows: Iterable[dict[str, Any]], wanted: Iterable[str], key: str) -> list[dict[str, Any]]:
    """The rows that `wanted` names, in that order; without a schema every schema's. Raises for a name that is not there."""
    rows = list(rows)
    found: list[dict[str, Any]] = []
    for name in wanted:
        schema, plain = split(name)
        same = [row for row in rows if row[key] == plain and schema in (None, row["schema"])]
        if not same:
            raise ModuleFailure(f"{name}: no such {key}")
        found += [row for row in same if row not in found]
    return found


def qualified(schema: str, name: str) -> sql.Identifier:
    return sql.Identifier(schema, name)


def spoken(row: dict[str, Any], key: str) -> str:
    return f"{row['schema']}.{row[key]}"
