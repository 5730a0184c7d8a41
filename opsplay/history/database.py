"""The history's database: SQLite by the standard library, PostgreSQL by SQLAlchemy; one set of SQL for both."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opsplay.errors import Fault, OpsError
from opsplay.history.state_dir import make_private

if TYPE_CHECKING:
    import sqlalchemy

T = TypeVar("T")
Row = dict[str, Any]
Values = Mapping[str, Any]
SQL = Path(__file__).parent / "sql"


class Database(Protocol):
    """Statements with `:name` places, which sqlite3 and SQLAlchemy both read."""

    def execute(self, statement: str, values: Values | None = None) -> None: ...
    def execute_many(self, statement: str, values: Sequence[Values]) -> None: ...
    def query(self, statement: str, values: Values | None = None) -> list[Row]: ...
    def lock_schema(self) -> None:
        """Until the end of the transaction nobody else changes the schema."""
        ...


def ask(target: str | Path, question: Callable[[Database], T]) -> T:
    """The answer. Where SQLite cannot write (full disk, read-only folder) it is read as it stands."""
    try:
        with opened(target) as database:
            return question(database)
    except HistoryFailed:
        if is_postgresql(target) or not _path(target).is_file():
            raise
        with _as_it_stands(_path(target)) as database:
            return question(database)


@contextmanager
def opened(target: str | Path) -> Iterator[Database]:
    """A transaction on the database, its schema brought up to date; committed unless something is raised.

    `target` is a path, `sqlite:///path`, or `postgresql://...`.
    """
    if is_postgresql(target):
        with _postgresql(str(target)) as database:
            upgrade(database)
            yield database
        return
    with _sqlite(_path(target)) as database:
        upgrade(database)
        yield database


def is_postgresql(target: str | Path) -> bool:
    return str(target).startswith(("postgresql://", "postgres://", "postgresql+psycopg://"))


def _path(target: str | Path) -> Path:
    text = str(target)
    if text.startswith("sqlite://"):
        return Path(text.removeprefix("sqlite:///")).expanduser()
    if "://" in text:
        kind = text.split("://", 1)[0]
        raise OpsError(
            "unknown-history-database",
            f'no history is kept in a "{kind}" database',
            remedy="Name a file, sqlite:///path, or postgresql://user@host/database.",
            fault=Fault.USAGE,
        )
    return Path(text).expanduser()


class HistoryFailed(OpsError):
    """The database did not take or give what was asked; what it held before is untouched."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            "history-failed",
            f"the history database {place}: {reason.strip()}",
            remedy="The run's own record is its journal: opsplay history path RUN.",
            fault=Fault.OPSPLAY,
        )


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Values | None = None) -> None:
        self.connection.execute(statement, values or {})

    def execute_many(self, statement: str, values: Sequence[Values]) -> None:
        self.connection.executemany(statement, values)

    def query(self, statement: str, values: Values | None = None) -> list[Row]:
        return [dict(row) for row in self.connection.execute(statement, values or {})]

    def lock_schema(self) -> None:
        """BEGIN IMMEDIATE has it already."""


@contextmanager
def _sqlite(path: Path) -> Iterator[Database]:
    """WAL: readers never wait for the run that is being recorded, and a crash leaves the last whole state."""
    make_private(path.parent) if not path.parent.exists() else None
    try:
        connection = sqlite3.connect(path, timeout=15, isolation_level=None)
        path.chmod(0o600)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last runs: their journals have them
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
    except (sqlite3.Error, OSError) as error:
        raise HistoryFailed(str(path), str(error)) from error
    try:
        yield _Sqlite(connection)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        raise HistoryFailed(str(path), str(error)) from error
    except BaseException:
        _roll_back(connection)
        raise
    finally:
        connection.close()


@contextmanager
def _as_it_stands(path: Path) -> Iterator[Database]:
    """Read without a lock, a journal or shared memory: none of them can be made."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
        connection.row_factory = sqlite3.Row
        yield _Sqlite(connection)
        connection.close()
    except sqlite3.Error as error:
        raise HistoryFailed(str(path), str(error)) from error


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class _Sqlalchemy:
    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Values | None = None) -> None:
        from sqlalchemy import text

        self.connection.execute(text(statement), dict(values or {}))

    def execute_many(self, statement: str, values: Sequence[Values]) -> None:
        from sqlalchemy import text

        if values:
            self.connection.execute(text(statement), [dict(row) for row in values])

    def query(self, statement: str, values: Values | None = None) -> list[Row]:
        from sqlalchemy import text

        return [dict(row) for row in self.connection.execute(text(statement), dict(values or {})).mappings()]

    def lock_schema(self) -> None:
        self.execute("SELECT pg_advisory_xact_lock(709120561)")  # any number that is ours alone


@contextmanager
def _postgresql(url: str) -> Iterator[Database]:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    place = "PostgreSQL"
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        place = parsed.render_as_string(hide_password=True).replace("+psycopg", "")
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"connect_timeout": 10})
        with engine.begin() as connection:
            yield _Sqlalchemy(connection)
    except ArgumentError as error:
        raise HistoryFailed(place, str(error)) from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error)
        raise HistoryFailed(place, reason) from error


# Schema


def upgrade(database: Database) -> None:
    """Bring the schema to the newest version, each step in the caller's transaction."""
    database.lock_schema()
    database.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
    rows = database.query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
    current, steps = rows[0]["version"], migrations()
    if current > len(steps):
        raise OpsError(
            "history-newer",
            f"the history database has schema {current}; this opsplay knows {len(steps)}",
            remedy="Use the newer opsplay that wrote it, or name another database with OPSPLAY_HISTORY.",
            fault=Fault.USAGE,
        )
    for version, path in enumerate(steps[current:], current + 1):
        for statement in statements(path.read_text(encoding="utf-8")):
            database.execute(statement)
        database.execute("INSERT INTO schema_version (version) VALUES (:version)", {"version": version})


def migrations() -> list[Path]:
    """sql/001_*.sql, 002_*.sql, ... in order."""
    return sorted(SQL.glob("[0-9][0-9][0-9]_*.sql"))


def statements(text: str) -> list[str]:
    """The statements of a migration file: each ends in a semicolon at a line's end, comments have lines of their own."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return [part.strip(" \n;") for part in "\n".join([*lines, ""]).split(";\n") if part.strip(" \n;")]
