"""Run SQL and give the rows back; read_only refuses whatever would write."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.plain_values import plain
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Dictionary, Flag, Integer, Listing, ModuleFailure, Raw, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "query": Raw(required=True, text="One statement, several, or a list of them."),
        "positional_args": Listing(elements=Raw(), text="Values for %s."),
        "named_args": Dictionary(text="Values for %(name)s."),
        "autocommit": Flag(default=False, text="For statements that cannot run in a transaction; not in check mode."),
        "read_only": Flag(default=False, text="Run in a read-only transaction."),
        "encoding": Text(),
        "search_path": Listing(text="Schemas to look names up in."),
        "as_single_query": Flag(default=True),
        "trust_input": Flag(default=True),
        "path_to_script": Text(text="Not supported: use the lookup file."),
    }),
    returns={
        "query": Text(), "statusmessage": Text(), "query_result": Listing(), "query_list": Listing(),
        "query_all_results": Listing(), "rowcount": Integer(), "execution_time_ms": Listing(),
    },
    examples=(
        "postgresql_query: {login_db: app, query: 'SELECT count(*) FROM bills WHERE id > %s', positional_args: [10], read_only: true}",
    ),
    exclusive=(("positional_args", "named_args"),),
    repeatable=False,
)  # fmt: skip
READS = re.compile(r"^(SELECT|SHOW|EXPLAIN|TABLE|VALUES|FETCH|BEGIN|COMMIT|ROLLBACK|SET|RESET)\b")


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    if args.path_to_script:
        raise ModuleFailure("path_to_script is gone: give query: \"{{ lookup('file', 'script.sql') }}\"")
    queries = [str(query) for query in (args.query if isinstance(args.query, list) else [args.query])]
    if args.autocommit and context.check:
        raise ModuleFailure("autocommit cannot be undone, so it is not done in check mode: use check_mode: false")
    path = ", ".join(f'"{schema}"' for schema in args.search_path or ())
    async with open_session(context, args, path=path) as session:
        if args.autocommit:
            outcomes = [outcome for query in queries for outcome in await _execute(session, query, args)]
        else:
            outcomes = await _in_transaction(session, queries, args, undo=context.check)
    return _result(queries, outcomes)


async def _in_transaction(session: Session, queries: list[str], args: Args, undo: bool) -> list[dict[str, Any]]:
    """All or nothing; in check mode: done and undone."""
    if args.read_only:
        await session.run("SET default_transaction_read_only = on")
    async with session.connection.transaction(force_rollback=undo):
        return [outcome for query in queries for outcome in await _execute(session, query, args)]


async def _execute(session: Session, query: str, args: Args) -> list[dict[str, Any]]:
    """One text, which may hold several statements: each gives its rows."""
    values = args.positional_args or args.named_args or None
    if args.read_only and args.autocommit:
        await session.run("SET default_transaction_read_only = on")
    started = time.monotonic()
    cursor = await session.connection.execute(query, values)
    elapsed = round((time.monotonic() - started) * 1000, 3)
    outcomes = []
    more: bool | None = True
    while more:
        rows = [plain(row) for row in await cursor.fetchall()] if cursor.description else []
        outcomes.append({"query": query, "rows": rows, "status": cursor.statusmessage or "", "count": cursor.rowcount, "ms": elapsed})
        more = cursor.nextset()
    return outcomes


def _result(queries: list[str], outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    last = outcomes[-1] if outcomes else {"query": "", "rows": [], "status": "", "count": 0}
    return {
        "changed": any(_changes(outcome) for outcome in outcomes),
        "query": last["query"],
        "query_list": queries,
        "query_result": last["rows"],
        "query_all_results": [outcome["rows"] for outcome in outcomes],
        "statusmessage": last["status"],
        "rowcount": sum(max(0, outcome["count"]) for outcome in outcomes),
        "execution_time_ms": [outcome["ms"] for outcome in outcomes],
    }


def _changes(outcome: dict[str, Any]) -> bool:
    """By what the server says it did: rows written, or anything that is no question."""
    status = outcome["status"]
    if re.match(r"^(INSERT|UPDATE|DELETE|MERGE|COPY|MOVE)\b", status):
        return bool(outcome["count"] > 0)
    if status.startswith("SELECT") and re.match(r"(?is)^\s*(create\s|select\s.*\sinto\s)", outcome["query"]):
        return True
    return bool(status) and not READS.match(status)
