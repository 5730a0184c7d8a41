"""Session: one careful connection: time limits always set, an empty search path, the server told to notice our end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from opsplay.errors import OpsError
from opsplay.postgres.login import parameters
from opsplay.postgres.plain_values import plain
from opsplay.remote.spec import Args, ModuleFailure

if TYPE_CHECKING:
    import psycopg

    from opsplay.actions.context import Context

SAFE_PATH = "pg_catalog, pg_temp"  # nothing of a user shadows what we call (CVE-2018-1058)


class Session:
    """A connection in autocommit mode. Statements are text with %(name)s; names come in by psycopg.sql only."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.connection = connection

    @property
    def version(self) -> int:
        """150018 for 15.18."""
        return self.connection.info.server_version

    async def rows(self, statement: Any, values: Mapping[str, Any] | Sequence[Any] | None = None) -> list[dict[str, Any]]:
        cursor = await self.connection.execute(statement, values)
        return [plain(row) for row in await cursor.fetchall()] if cursor.description else []

    async def query(self, name: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a statement kept in sql/NAME.sql."""
        return await self.rows(statement(name), values or {})

    async def value(self, statement: Any, values: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        rows = await self.rows(statement, values)
        return next(iter(rows[0].values())) if rows else None

    async def run(self, statement: Any) -> None:
        await self.connection.execute(statement)


@cache
def statement(name: str) -> bytes:
    return (resources.files("opsplay.postgres") / "sql" / f"{name}.sql").read_bytes()


@asynccontextmanager
async def open_session(context: Context, args: Args, database: str | None = None, path: str = SAFE_PATH) -> AsyncIterator[Session]:
    """Log in for the length of the block. What the server says against it becomes the module's failure."""
    import psycopg

    try:
        async with parameters(context, args) as where, await _connect(where, args, database or args.login_db, path) as connection:
            await _tune(connection, args)
            try:
                yield Session(connection)
            except BaseException:
                await _let_go(connection)
                raise
    except psycopg.Error as problem:
        raise ModuleFailure(told(problem)) from problem
    except OpsError as problem:
        raise ModuleFailure(f"unable to connect to database: {problem.message}") from problem


async def _connect(where: Mapping[str, Any], args: Args, database: str, path: str) -> psycopg.AsyncConnection[Any]:
    import psycopg
    from psycopg.rows import dict_row

    options = f"-c lock_timeout={_quoted(args.lock_timeout)} -c statement_timeout={_quoted(args.statement_timeout)}"
    if path:
        options += f" -c search_path={_quoted(path)}"
    known: dict[str, Any] = {
        "dbname": database, "user": args.login_user, "password": args.login_password or None, "sslrootcert": args.ca_cert,
        "sslcert": args.ssl_cert, "sslkey": args.ssl_key, "connect_timeout": 15, "application_name": "opsplay",
        "client_encoding": "UTF8", "options": options,
    }  # fmt: skip
    if "service" in where:
        known["user"] = known["user"] if args.login_user != "postgres" else None
        known["dbname"] = database if database != "postgres" else None
    wanted = {name: value for name, value in (known | dict(where) | args.connect_params).items() if value is not None}
    return await psycopg.AsyncConnection.connect(
        autocommit=True, row_factory=dict_row, cursor_factory=psycopg.AsyncClientCursor, prepare_threshold=None, **wanted
    )


def _quoted(text: str) -> str:
    return str(text).replace("\\", "\\\\").replace(" ", "\\ ")


async def _tune(connection: psycopg.AsyncConnection[Any], args: Args) -> None:
    """A server that looks every 2 s whether we are still there does not finish a VACUUM for nobody (PostgreSQL 14+)."""
    import psycopg
    from psycopg import sql

    if connection.info.server_version >= 140000:
        try:
            await connection.execute("SET client_connection_check_interval = '2s'")
        except psycopg.Error:
            pass  # a platform without POLLRDHUP
    if args.session_role:
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(args.session_role)))


async def _let_go(connection: psycopg.AsyncConnection[Any]) -> None:
    """A cancelled task must not leave its statement running for the length of a check interval."""
    import psycopg
    from psycopg.pq import TransactionStatus

    if not connection.closed and connection.info.transaction_status == TransactionStatus.ACTIVE:
        try:
            await connection.cancel_safe(timeout=2)
        except (psycopg.Error, OSError):
            pass


def told(problem: psycopg.Error) -> str:
    """The server's words, with detail and hint, on one line."""
    diagnostic = problem.diag
    parts = [diagnostic.message_primary or str(problem).strip(), diagnostic.message_detail, diagnostic.message_hint]
    code = f" (SQLSTATE {diagnostic.sqlstate})" if diagnostic.sqlstate else ""
    return ": ".join(" ".join(part.split()) for part in parts if part) + code
