"""List the slowest statements of pg_stat_statements, by mean time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.actions.postgresql_activity import masked
from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import open_session
from opsplay.remote.spec import Args, Choice, Flag, Integer, Listing, Number, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "limit": Integer(default=10),
        "order": Choice("mean", "total", "calls", default="mean"),
        "min_mean_ms": Number(default=0.0),
        "query_length": Integer(default=200),
    }),
    returns={"available": Flag(), "queries": Listing(text="query, calls, mean_ms, total_ms, rows of each."), "msg": Text()},
    examples=("postgresql_slow_queries: {login_db: app, min_mean_ms: 100}",),
    notes=("The columns changed their names with PostgreSQL 13; the right ones are chosen by the server's version.",),
)  # fmt: skip
ORDERS = {"mean": 3, "total": 4, "calls": 2}


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    import psycopg
    from psycopg import sql

    async with open_session(context, args) as session:
        found = [row for row in await session.query("extensions") if row["name"] == "pg_stat_statements"]
        if not found:
            return _missing("the extension pg_stat_statements is not installed in this database: CREATE EXTENSION pg_stat_statements")
        time = "exec_time" if session.version >= 130000 else "time"
        view = sql.Identifier(found[0]["schema"], "pg_stat_statements")
        text = sql.SQL(
            "SELECT s.query, s.calls, s.{mean} AS mean_ms, s.{total} AS total_ms, s.rows FROM {view} s "
            "JOIN pg_catalog.pg_database d ON d.oid = s.dbid WHERE d.datname = pg_catalog.current_database() "
            "AND s.{mean} >= %s ORDER BY {order} DESC LIMIT %s"
        ).format(mean=sql.Identifier(f"mean_{time}"), total=sql.Identifier(f"total_{time}"), view=view,
                 order=sql.SQL(str(ORDERS[args.order])))  # fmt: skip
        try:
            rows = await session.rows(text, [args.min_mean_ms, args.limit])
        except psycopg.errors.ObjectNotInPrerequisiteState:
            return _missing("pg_stat_statements is not loaded: add it to shared_preload_libraries and restart")
    for row in rows:
        row["query"] = masked(row["query"] or "")[: args.query_length]
    return {"changed": False, "available": True, "queries": rows, "msg": ""}


def _missing(reason: str) -> dict[str, Any]:
    return {"changed": False, "available": False, "queries": [], "msg": reason}
