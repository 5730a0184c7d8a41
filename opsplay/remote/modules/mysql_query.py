"""Run SQL statements on a MySQL or MariaDB server."""

import re
import time

from opsplay.remote.mysql_login import open_connection, with_login
from opsplay.remote.mysql_wire import ServerError
from opsplay.remote.spec import Dictionary, Flag, Listing, ModuleFailure, Raw, Spec, Text

SPEC = Spec(
    args=with_login({
        "query": Raw(required=True, text="A statement, or a list of them."),
        "positional_args": Listing(elements=Raw(), text="Values for %s in the statement."),
        "named_args": Dictionary(text="Values for %(name)s in the statement."),
        "login_db": Text(text="The database to work in."),
        "single_transaction": Flag(default=False, text="All statements or none."),
    }),
    returns={"executed_queries": Listing(), "query_result": Listing(text="A list of rows for each statement."), "rowcount": Listing(),
             "execution_time_ms": Listing()},
    examples=("mysql_query: {login_db: app, query: 'SELECT 1'}",),
    check="none", repeatable=False, exclusive=(("positional_args", "named_args"),),
)
CHANGES_ROWS = frozenset(["INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"])
CHANGES_THINGS = frozenset(["CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE", "GRANT", "REVOKE", "SET"])
NAMED = re.compile(r"%\((\w+)\)s|%s|%%")


def act(system, args):
    if system.check:
        return {"skipped": True, "changed": False, "msg": "remote module (mysql_query) does not support check mode"}
    connection = open_connection(system, args, args.login_db or "")
    try:
        return _run_all(connection, args)
    finally:
        connection.close()


def _run_all(connection, args):
    statements = args["query"] if isinstance(args["query"], list) else [args["query"]]
    result = {"executed_queries": [], "query_result": [], "rowcount": [], "execution_time_ms": [], "changed": False}
    if args.single_transaction:
        connection.ask("START TRANSACTION")
    for given in statements:
        statement = filled(connection, str(given), args.positional_args, args.named_args)
        begun = time.time()
        try:
            answer = connection.ask(statement)
        except ServerError as problem:
            if args.single_transaction:
                connection.ask("ROLLBACK")
            raise ModuleFailure("Cannot execute SQL '%s' args [%s]: %s" % (given, args.positional_args or args.named_args, problem), **result)
        result["execution_time_ms"].append(round((time.time() - begun) * 1000, 3))
        result["executed_queries"].append(statement)
        result["query_result"].append(answer.rows or [])
        result["rowcount"].append(answer.touched)
        result["changed"] = result["changed"] or _changes(statement, answer)
    if args.single_transaction:
        connection.ask("COMMIT")
    return result


def filled(connection, statement, positional, named):
    """The statement with its placeholders replaced by literals; without values it stays as it is."""
    if not positional and not named:
        return statement
    left = list(positional or ())

    def value(match):
        if match.group() == "%%":
            return "%"
        if match.group(1):
            if match.group(1) not in (named or {}):
                raise ModuleFailure("named_args has no %s" % match.group(1))
            return connection.literal(named[match.group(1)])
        if not left:
            raise ModuleFailure("not enough positional_args for the statement: %s" % statement)
        return connection.literal(left.pop(0))

    made = NAMED.sub(value, statement)
    if left:
        raise ModuleFailure("not all positional_args were used by the statement: %s" % statement)
    return made


def _changes(statement, answer):
    words = statement.split(None, 1)
    word = words[0].upper().strip("(;") if words else ""
    if word in CHANGES_ROWS:
        return answer.touched > 0
    return word in CHANGES_THINGS and not answer.warnings  # IF (NOT) EXISTS warns where there was nothing to do
