"""Vacuum and analyze tables that need it, giving up on locks early, and say what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.names import chosen, qualified, spoken
from opsplay.postgres.patience import PATIENCE, patiently
from opsplay.postgres.safety import require_safe
from opsplay.postgres.session import Session, open_session, told
from opsplay.remote.durations import seconds
from opsplay.remote.spec import Args, Choice, Flag, Integer, Listing, ModuleFailure, Number, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login(PATIENCE | {
        "tables": Listing(default=[], aliases=("table",), text="These tables; [schema.]name."),
        "all": Flag(default=False, text="Every table of the database."),
        "mode": Choice("vacuum", "analyze", "vacuum_analyze", "full", default="vacuum_analyze"),
        "when_dead_ratio": Number(text="Only tables with at least this percentage of dead rows."),
        "min_dead_tuples": Integer(text="Only tables with at least so many dead rows."),
        "when_modified_ratio": Number(text="Only tables of which this percentage changed since the last analyze."),
        "when_bloat_pct": Number(text="Only tables with at least this estimated bloat (percent)."),
        "not_within": Text(text="Not again this soon after the last (auto)vacuum or (auto)analyze: 12h."),
        "allow_exclusive_lock": Flag(default=False, text="Needed for mode: full, which locks everybody out of the table."),
    }),
    returns={
        "vacuumed": Listing(text="Each table with dead, size and bloat before and after, and seconds."),
        "left_alone": Listing(text="table and reason."), "lock_timeouts": Listing(text="Tables whose lock was not to be had."),
        "size_before": Integer(), "size_after": Integer(), "bytes_freed": Integer(),
    },
    examples=(
        "postgresql_vacuum: {login_db: app, all: true, when_dead_ratio: 10, min_dead_tuples: 1000}",
        "postgresql_vacuum: {login_db: app, tables: [bills_audit_log], mode: full, allow_exclusive_lock: true}",
    ),
    one_of=(("tables", "all"),),
    notes=("No statement waits for a lock longer than lock_timeout, so that no query queues up behind it.",),
)  # fmt: skip
COMMANDS = {"vacuum": "VACUUM", "analyze": "ANALYZE", "vacuum_analyze": "VACUUM (ANALYZE)", "full": "VACUUM (FULL, ANALYZE)"}


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    if not args.tables and not args["all"]:
        raise ModuleFailure("name the tables, or say all: true")
    if args.mode == "full" and not args.allow_exclusive_lock:
        raise ModuleFailure("mode: full locks everybody out of the table: say allow_exclusive_lock: true, inside a maintenance window")
    async with open_session(context, args) as session:
        work = await _plan(session, args)
        if not context.check:
            await work.carry_out(session, args)
    return work.result(args)


class Work:
    """Which tables, why not the others, and what came of it."""

    def __init__(self, due: list[dict[str, Any]], skipped: list[dict[str, Any]]) -> None:
        self.due = due
        self.skipped = skipped
        self.done: list[dict[str, Any]] = []
        self.locked: list[str] = []
        self.failed: list[str] = []

    async def carry_out(self, session: Session, args: Args) -> None:
        for row in self.due:
            await self._one(session, args, row)

    async def _one(self, session: Session, args: Args, row: dict[str, Any]) -> None:
        import psycopg
        from psycopg import sql

        command = sql.SQL(COMMANDS[args.mode] + " {}").format(qualified(row["schema"], row["table"]))
        started = time.monotonic()
        try:
            why_not = await patiently(lambda: session.run(command), args.retries, args.retry_delay)
        except psycopg.Error as problem:
            self.failed.append(f"{spoken(row, 'table')}: {told(problem)}")
            if session.connection.closed:
                raise
            return
        if why_not:
            self.locked.append(spoken(row, "table"))
            self.skipped.append({"table": spoken(row, "table"), "reason": why_not})
            return
        after = next((found for found in await session.query("tables") if found["oid"] == row["oid"]), row)
        self.done.append(outcome(row, after) | {"seconds": round(time.monotonic() - started, 3)})

    def result(self, args: Args) -> dict[str, Any]:
        done = self.done or [outcome(row, row) for row in self.due if not self.locked and not self.failed]
        result: dict[str, Any] = {
            "changed": bool(done), "mode": args.mode, "vacuumed": done, "left_alone": self.skipped, "lock_timeouts": self.locked,
            "size_before": sum(row["size_before"] for row in done), "size_after": sum(row["size_after"] for row in done),
        }  # fmt: skip
        result["bytes_freed"] = max(0, result["size_before"] - result["size_after"])
        if self.failed:
            raise ModuleFailure("; ".join(self.failed), **result)
        return result


def outcome(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    keys = {"dead": "dead", "size": "total_size", "bloat_pct": "bloat_pct"}
    told = {f"{name}_before": before[key] for name, key in keys.items()} | {f"{name}_after": after[key] for name, key in keys.items()}
    return {"table": spoken(before, "table")} | told


async def _plan(session: Session, args: Args) -> Work:
    superuser = await session.value("SELECT pg_catalog.current_setting('is_superuser') = 'on'")
    require_safe(session.version, bool(superuser))
    rows = await session.query("tables")
    rows = chosen(rows, args.tables, "table") if args.tables else rows
    reasons = [(row, reason_to_skip(row, args)) for row in rows]
    skipped = [{"table": spoken(row, "table"), "reason": reason} for row, reason in reasons if reason]
    return Work([row for row, reason in reasons if not reason], skipped)


def reason_to_skip(row: dict[str, Any], args: Args) -> str:
    """Why this table needs nothing; the empty string when it is due."""
    if args.when_dead_ratio is not None and row["dead_ratio"] < args.when_dead_ratio:
        return f"{row['dead_ratio']:g} % dead rows, less than {args.when_dead_ratio:g} %"
    if args.min_dead_tuples is not None and row["dead"] < args.min_dead_tuples:
        return f"{row['dead']} dead rows, fewer than {args.min_dead_tuples}"
    if args.when_modified_ratio is not None and row["modified_ratio"] < args.when_modified_ratio:
        return f"{row['modified_ratio']:g} % changed since the last analyze, less than {args.when_modified_ratio:g} %"
    if args.when_bloat_pct is not None and (row["bloat_pct"] or 0) < args.when_bloat_pct:
        return f"{row['bloat_pct'] or 0:g} % bloat, less than {args.when_bloat_pct:g} %"
    return _too_soon(row, args)


def _too_soon(row: dict[str, Any], args: Args) -> str:
    wait = seconds(args.not_within, "not_within")
    age = row["analyze_age"] if args.mode == "analyze" else row["vacuum_age"]
    if wait is not None and age is not None and age < wait:
        return f"done {age} s ago, and not wanted again within {args.not_within}"
    return ""
