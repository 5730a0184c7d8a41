"""Leftovers of REINDEX CONCURRENTLY: which invalid indexes are rubbish of a rebuild, and which are somebody else's matter.

A rebuild that fails (lock timeout, killed client, terminated backend, unique violation) leaves an invalid index that is
still written to by every change. Rubbish is only: invalid, named like a rebuild of an index that stands beside it on the
same table (_ccnew, _ccold, and numbers), on a table we were asked to work on, with nobody building on that table now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from psycopg import sql

from opsplay.postgres.names import qualified
from opsplay.postgres.session import Session

NAME = re.compile(r"^(?P<base>.+)_cc(?:new|old)\d*$", re.DOTALL)
LONGEST = 63  # bytes of a name; PostgreSQL shortens the base before it appends


def rubbish(rows: Iterable[dict[str, Any]], tables: set[int]) -> list[dict[str, Any]]:
    """The invalid indexes on `tables` (oids) that a failed rebuild left."""
    rows = list(rows)
    return [row for row in rows if row["table_oid"] in tables and is_rubbish(row, rows)]


def is_rubbish(row: dict[str, Any], rows: Iterable[dict[str, Any]]) -> bool:
    match = NAME.match(row["index"])
    if row["valid"] or row["being_built"] or row["primary"] or row["of_constraint"] or not match:
        return False
    return any(_is_base(other, row, match["base"]) for other in rows)


def _is_base(other: dict[str, Any], row: dict[str, Any], base: str) -> bool:
    """The index a rebuild replaces: same table, same definition but for the name."""
    if other["oid"] == row["oid"] or other["table_oid"] != row["table_oid"]:
        return False
    cut = len(row["index"].encode()) >= LONGEST - 1 and other["index"].startswith(base)
    return (other["index"] == base or cut) and _shape(other) == _shape(row)


def _shape(row: dict[str, Any]) -> str:
    return str(row["definition"]).partition(" ON ")[2]


def foreign(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Invalid indexes that are not ours to drop."""
    rows = list(rows)
    return [row for row in rows if not row["valid"] and not row["being_built"] and not is_rubbish(row, rows)]


async def drop(session: Session, row: dict[str, Any]) -> bool:
    """Drop it, if it is still the same rubbish at this moment. Waits for locks no longer than the session does."""
    rows = await session.query("indexes")
    now = next((found for found in rows if found["oid"] == row["oid"]), None)
    if now is None or not is_rubbish(now, rows):
        return False
    await session.run(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(qualified(now["schema"], now["index"])))
    return True
