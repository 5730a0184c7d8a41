"""List tables with live and dead rows, last vacuum and analyze, sizes and estimated bloat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.names import chosen
from opsplay.postgres.session import open_session
from opsplay.remote.spec import Args, Integer, Listing, Number, Spec

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "tables": Listing(default=[], aliases=("table",), text="Only these; [schema.]name."),
        "schemas": Listing(default=[], aliases=("schema",)),
        "min_dead_ratio": Number(default=0.0, text="Only tables with this percentage of dead rows."),
        "min_size": Integer(default=0, text="Only tables of this many bytes."),
        "limit": Integer(text="At most so many, the largest."),
    }),
    returns={
        "tables": Listing(text="schema, table, live, dead, dead_ratio, size, bloat_pct, last_vacuum ... of each."),
        "size": Integer(), "dead": Integer(), "bloat_bytes": Integer(),
    },
    examples=("postgresql_table_stats: {login_db: app, min_dead_ratio: 10}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    async with open_session(context, args) as session:
        rows = await session.query("tables")
    rows = chosen(rows, args.tables, "table") if args.tables else rows
    rows = [row for row in rows if not args.schemas or row["schema"] in args.schemas]
    rows = [row for row in rows if (row["dead_ratio"] or 0) >= args.min_dead_ratio and row["total_size"] >= args.min_size]
    rows = rows[: args.limit]
    totals = {key: sum(row[key] or 0 for row in rows) for key in ("dead", "bloat_bytes")}
    return {"changed": False, "tables": rows, "size": sum(row["total_size"] for row in rows)} | totals
