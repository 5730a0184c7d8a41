"""Rebuild bloated indexes without locking anybody out, and leave no invalid index behind, whatever happens."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from opsplay.postgres import leftovers
from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.names import chosen, qualified, spoken
from opsplay.postgres.patience import PATIENCE, Busy, patiently
from opsplay.postgres.safety import require_safe
from opsplay.postgres.session import Session, open_session, told
from opsplay.remote.durations import size
from opsplay.remote.spec import Args, Flag, Integer, Listing, ModuleFailure, Number, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login(PATIENCE | {
        "tables": Listing(default=[], aliases=("table",), text="All indexes of these tables; [schema.]name."),
        "indexes": Listing(default=[], aliases=("index",), text="These indexes."),
        "all": Flag(default=False, text="Every index of the database."),
        "concurrently": Flag(default=True, text="Let everybody read and write meanwhile."),
        "when_bloat_pct": Number(text="Only indexes with at least this estimated bloat (percent)."),
        "min_size": Text(default="0", text="Only indexes at least this large: 10M."),
        "clean_leftovers": Flag(default=True, text="Drop the invalid indexes that failed rebuilds of these left."),
        "allow_exclusive_lock": Flag(default=False, text="Needed for concurrently: false."),
    }),
    returns={
        "reindexed": Listing(text="index, size and bloat before and after, seconds."), "left_alone": Listing(),
        "leftovers_dropped": Listing(), "foreign_invalid": Listing(text="Invalid indexes that are not ours: look at them."),
        "lock_timeouts": Listing(), "bytes_freed": Integer(), "size_before": Integer(), "size_after": Integer(),
    },
    examples=(
        "postgresql_reindex: {login_db: app, all: true, when_bloat_pct: 30, min_size: 10M}",
        "postgresql_reindex: {login_db: app, indexes: [idx_bills_content]}",
    ),
    one_of=(("tables", "indexes", "all"),),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    if not (args.tables or args.indexes or args["all"]):
        raise ModuleFailure("name tables or indexes, or say all: true")
    if not args.concurrently and not args.allow_exclusive_lock:
        raise ModuleFailure("concurrently: false locks writers out: say allow_exclusive_lock: true, inside a maintenance window")
    async with AsyncExitStack() as stack:
        work = Rebuild(context, args, stack)
        await work.plan()
        if not context.check:
            await work.carry_out()
        return await work.result()


class LeftBehind(Exception):
    """An invalid index of ours that is in nobody's way but costs every write: no further try may add another."""


class Rebuild:
    def __init__(self, context: Context, args: Args, stack: AsyncExitStack) -> None:
        self.context = context
        self.args = args
        self.stack = stack
        self._session: Session | None = None
        self.scope: set[int] = set()
        self.due: list[dict[str, Any]] = []
        self.rubbish: list[dict[str, Any]] = []
        self.done: list[dict[str, Any]] = []
        self.dropped: list[str] = []
        self.skipped: list[dict[str, Any]] = []
        self.locked: list[str] = []
        self.failed: list[str] = []

    async def session(self) -> Session:
        """The session, opened anew when the server ended it under us."""
        if self._session is None or self._session.connection.closed:
            self._session = await self.stack.enter_async_context(open_session(self.context, self.args))
        return self._session

    # -- what to do

    async def plan(self) -> None:
        session = await self.session()
        superuser = await session.value("SELECT pg_catalog.current_setting('is_superuser') = 'on'")
        require_safe(session.version, bool(superuser), self.args.concurrently)
        rows = await session.query("indexes")
        asked = self._asked_for(rows)
        self.scope = {row["table_oid"] for row in asked}
        self.rubbish = leftovers.rubbish(rows, self.scope) if self.args.clean_leftovers else []
        for row in asked:
            reason = self._reason_to_skip(row)
            if reason:
                self.skipped.append({"index": spoken(row, "index"), "reason": reason})
            else:
                self.due.append(row)

    def _asked_for(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.args["all"]:
            return rows
        tables = chosen(rows, self.args.tables, "table") if self.args.tables else []
        wanted = {row["table_oid"] for row in tables}
        named = chosen(rows, self.args.indexes, "index") if self.args.indexes else []
        return [row for row in rows if row["table_oid"] in wanted or row in named]

    def _reason_to_skip(self, row: dict[str, Any]) -> str:
        bloat, smallest = row["bloat_pct"] or 0, size(self.args.min_size, "min_size") or 0
        if row["being_built"]:
            return "somebody builds an index on its table right now"
        if not row["valid"]:
            return "invalid: " + ("left by a failed rebuild" if row in self.rubbish else "not ours to judge")
        if self.args.when_bloat_pct is not None and bloat < self.args.when_bloat_pct:
            return f"{bloat:g} % bloat, less than {self.args.when_bloat_pct:g} %"
        if row["size"] < smallest:
            return f"{row['size']} bytes, smaller than {self.args.min_size}"
        return "an exclusion constraint cannot be rebuilt concurrently" if row["exclusion"] and self.args.concurrently else ""

    # -- doing it

    async def carry_out(self) -> None:
        try:
            await self._clean(self.rubbish)
            for row in self.due:
                await self._one(row)
        except LeftBehind as problem:
            self.failed.append(str(problem))

    async def _one(self, row: dict[str, Any]) -> None:
        import psycopg

        started = time.monotonic()
        try:
            why_not = await patiently(lambda: self._attempt(row), self.args.retries, self.args.retry_delay)
        except psycopg.Error as problem:
            self.failed.append(f"{spoken(row, 'index')}: {told(problem)}")
            await self._clean_after(row)
            return
        if why_not:
            self.locked.append(spoken(row, "index"))
            self.skipped.append({"index": spoken(row, "index"), "reason": why_not})
            return
        after = await self._look(row)
        self.done.append(outcome(row, after) | {"seconds": round(time.monotonic() - started, 3)})

    async def _attempt(self, row: dict[str, Any]) -> None:
        """One try; a failed one clears away what it left before the next."""
        import psycopg
        from psycopg import sql

        how = sql.SQL("REINDEX INDEX CONCURRENTLY {}" if self.args.concurrently else "REINDEX INDEX {}")
        session = await self.session()
        await self._require_free_way(session, row)
        try:
            await session.run(how.format(qualified(row["schema"], row["index"])))
        except psycopg.errors.LockNotAvailable:
            await self._clean_after(row)
            raise

    async def _require_free_way(self, session: Session, row: dict[str, Any]) -> None:
        """A rebuild that would wait for an old transaction is not begun: given up, it would leave rubbish behind."""
        if not self.args.concurrently:
            return
        rubbish = leftovers.rubbish(await session.query("indexes"), {row["table_oid"]})
        await self._clean(rubbish)
        for old in await session.query("old_transactions", {"table": row["table_oid"]}):
            raise Busy(f"{old['user']} (pid {old['pid']}, {old['state']}) has a transaction open for {old['seconds']:.0f} s")

    async def _look(self, row: dict[str, Any]) -> dict[str, Any]:
        rows = await (await self.session()).query("indexes")
        same = [found for found in rows if found["index"] == row["index"] and found["schema"] == row["schema"]]
        return same[0] if same else row

    async def _clean_after(self, row: dict[str, Any]) -> None:
        rows = await (await self.session()).query("indexes")
        await self._clean(leftovers.rubbish(rows, {row["table_oid"]}))

    async def _clean(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            dropped: list[bool] = []
            why_not = await patiently(partial(self._drop, row, dropped), self.args.retries, self.args.retry_delay)
            if why_not:
                raise LeftBehind(f"{spoken(row, 'index')} is invalid and could not be dropped yet: {why_not}; the next run will")
            elif dropped[-1]:
                self.dropped.append(spoken(row, "index"))

    async def _drop(self, row: dict[str, Any], dropped: list[bool]) -> None:
        dropped.append(await leftovers.drop(await self.session(), row))

    async def result(self) -> dict[str, Any]:
        foreign = [spoken(row, "index") for row in leftovers.foreign(await (await self.session()).query("indexes"))]
        done = [outcome(row, row) for row in self.due] if self.context.check else self.done
        dropped = [spoken(row, "index") for row in self.rubbish] if self.context.check else self.dropped
        before, after = sum(row["size_before"] for row in done), sum(row["size_after"] for row in done)
        result = {
            "changed": bool(done or dropped), "reindexed": done, "leftovers_dropped": dropped, "foreign_invalid": foreign,
            "left_alone": self.skipped, "lock_timeouts": self.locked, "size_before": before, "size_after": after,
            "bytes_freed": max(0, before - after),
        }  # fmt: skip
        if self.failed:
            raise ModuleFailure("; ".join(self.failed), **result)
        return result


def outcome(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    name = {"index": spoken(before, "index"), "table": spoken(before, "table")}
    told = {f"{key}_before": before[key] for key in ("size", "bloat_pct")} | {f"{key}_after": after[key] for key in ("size", "bloat_pct")}
    return name | told
