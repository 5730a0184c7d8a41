"""List indexes with their use and size: bloated ones, unused ones, invalid ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.names import chosen
from opsplay.postgres.session import open_session
from opsplay.remote.spec import Args, Flag, Integer, Listing, Number, Spec

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "tables": Listing(default=[], aliases=("table",)),
        "schemas": Listing(default=[], aliases=("schema",)),
        "unused": Flag(default=False, text="Only indexes never scanned that no constraint needs."),
        "invalid": Flag(default=False, text="Only invalid ones."),
        "min_bloat_pct": Number(default=0.0),
        "min_size": Integer(default=0),
        "limit": Integer(),
    }),
    returns={
        "indexes": Listing(), "unused": Listing(text="Names of the unused."), "invalid": Listing(text="Names of the invalid."),
        "size": Integer(), "bloat_bytes": Integer(),
    },
    examples=("postgresql_index_stats: {login_db: app, unused: true}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    async with open_session(context, args) as session:
        rows = await session.query("indexes")
    rows = chosen(rows, args.tables, "table") if args.tables else rows
    rows = [row for row in rows if not args.schemas or row["schema"] in args.schemas]
    rows = [row for row in rows if (row["bloat_pct"] or 0) >= args.min_bloat_pct and row["size"] >= args.min_size]
    rows = [row for row in rows if (is_unused(row) or not args.unused) and (not row["valid"] or not args.invalid)]
    named = {
        "unused": [f"{row['schema']}.{row['index']}" for row in rows if is_unused(row)],
        "invalid": [f"{row['schema']}.{row['index']}" for row in rows if not row["valid"]],
    }
    rows = rows[: args.limit]
    totals = {key: sum(row[key] or 0 for row in rows) for key in ("size", "bloat_bytes")}
    return {"changed": False, "indexes": rows} | named | totals


def is_unused(row: dict[str, Any]) -> bool:
    needed = row["unique"] or row["primary"] or row["exclusion"] or row["of_constraint"]
    return row["scans"] == 0 and row["valid"] and not needed
