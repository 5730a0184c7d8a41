"""Ask a SQLite database on the host; it is opened read-only."""

import os

from opsplay.remote.spec import Integer, Listing, ModuleFailure, Number, Path, Raw, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("db", "database"), text="The database file."),
        "query": Raw(required=True, text="A statement, or a list of them."),
        "args": Listing(default=[], elements=Raw(), text="Values for ? in the query."),
        "timeout": Number(default=5.0, text="Seconds to wait for a writer."),
        "limit": Integer(default=10000, text="Rows at most."),
    },
    returns={"query_result": Listing(text="Rows of the last query, as dicts."), "query_all_results": Listing(), "rowcount": Integer(),
             "value": Text(text="The first field of the first row.")},
    examples=("sqlite_query: {path: /srv/app/app.sqlite3, query: SELECT count(*) AS orders FROM orders}",),
)


def read(system, args):
    queries = args.query if isinstance(args.query, list) else [args.query]
    database = open_database(args.path, args.timeout, "ro")
    try:
        results = [_rows(database, str(query), args) for query in queries]
    finally:
        database.close()
    first = next(iter(results[-1][0].values())) if results[-1] else None
    return {"query_result": results[-1], "query_all_results": results, "rowcount": sum(map(len, results)), "value": first}


def open_database(path, timeout, mode):
    try:
        import sqlite3
    except ImportError:
        raise ModuleFailure("this host's Python has no sqlite3: install it (Debian: libpython3-stdlib)")
    if not os.path.isfile(path):
        raise ModuleFailure("%s is no file" % path)
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        database = sqlite3.connect("file:%s?mode=%s" % (quoted, mode), timeout=timeout, uri=True, isolation_level=None)
        database.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as problem:
        raise ModuleFailure("%s: %s" % (path, problem))
    return database


def _rows(database, query, args):
    import sqlite3
    try:
        cursor = database.execute(query, args["args"])
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, map(_plain, row))) for row in cursor.fetchmany(args.limit)] if names else []  # noqa: B905
    except (sqlite3.Error, sqlite3.Warning) as problem:
        raise ModuleFailure("%s: %s" % (problem, query[:200]))


def _plain(value):
    return "\\x" + value.hex() if isinstance(value, bytes) else value
