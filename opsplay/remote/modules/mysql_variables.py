"""Ask or set a global variable of a MySQL or MariaDB server."""

from opsplay.remote.mysql_login import open_connection, with_login
from opsplay.remote.mysql_wire import ServerError, identifier
from opsplay.remote.spec import Choice, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args=with_login({
        "variable": Text(required=True, text="Its name."),
        "value": Text(text="What it is to be; without it, it is only told."),
        "mode": Choice("global", "persist", "persist_only", default="global", text="persist: also after a restart (MySQL 8)."),
    }),
    returns={"queries": Listing(), "msg": Text()},
    examples=("mysql_variables: {variable: read_only, value: '1'}",),
)
SAME = {"ON": "1", "TRUE": "1", "YES": "1", "OFF": "0", "FALSE": "0", "NO": "0"}


def act(system, args):
    name = args.variable
    if not name.replace("_", "").replace(".", "").isalnum():
        raise ModuleFailure('invalid variable name "%s"' % name)
    connection = open_connection(system, args)
    try:
        return _ensure(system, connection, args, name)
    except ServerError as problem:
        raise ModuleFailure(str(problem))
    finally:
        connection.close()


def _ensure(system, connection, args, name):
    rows = connection.rows("SHOW VARIABLES WHERE Variable_name = %s" % connection.literal(name))
    if not rows:
        raise ModuleFailure('Variable not available "%s"' % name)
    now = str(rows[0]["Value"])
    if args.value is None:
        return {"msg": now, "changed": False}
    if args.mode != "persist_only" and SAME.get(now.upper(), now) == SAME.get(args.value.upper(), args.value):
        return {"msg": "Variable is already set to requested value.", "changed": False}
    plain = args.value.lstrip("-").replace(".", "", 1).isdigit() and "." not in args.value
    statement = "SET %s %s = %s" % (args.mode.upper(), ".".join(identifier(part) for part in name.split(".")), args.value if plain else connection.literal(args.value))
    if not system.check:
        connection.ask(statement)
    result = {"msg": "Variable change succeeded prev_value=%s" % now, "changed": True, "queries": [statement]}
    if system.diff:
        result["diff"] = {"before": {name: now}, "after": {name: args.value}}
    return result
