"""Ask a MySQL or MariaDB server about itself: version, databases, settings, users, replication."""

import re

from opsplay.remote.mysql_login import is_mariadb, open_connection, version_of, with_login
from opsplay.remote.mysql_wire import ServerError
from opsplay.remote.spec import Dictionary, Flag, Listing, ModuleFailure, Spec, Text

SPEC = Spec(
    args=with_login({
        "filter": Listing(text="Only these parts, or all but those with a ! in front."),
        "exclude_fields": Listing(text="Fields to leave out: db_size."),
        "return_empty_dbs": Flag(default=False, text="Databases without tables, too."),
        "login_db": Text(),
    }),
    returns={"version": Dictionary(), "databases": Dictionary(), "settings": Dictionary(), "global_status": Dictionary(), "users": Dictionary(),
             "users_info": Listing(), "engines": Dictionary(), "master_status": Dictionary(), "slave_status": Dictionary(), "slave_hosts": Dictionary(),
             "server_engine": Text(), "connector_name": Text(), "connector_version": Text()},
    examples=("mysql_info: {filter: [version, databases]}",),
)
SIZES = """SELECT table_schema AS name, SUM(data_length + index_length) AS size FROM information_schema.TABLES GROUP BY table_schema"""


def read(system, args):
    wanted = parts(args["filter"] or [])
    connection = open_connection(system, args, args.login_db or "")
    try:
        found = {name: PARTS[name](connection, args) for name in wanted}
    except ServerError as problem:
        raise ModuleFailure("Cannot execute query: %s" % problem)
    finally:
        connection.close()
    return dict(found, server_engine="MariaDB" if is_mariadb(connection) else "MySQL", connector_name="opsplay", connector_version="")


def parts(filters):
    unknown = [name for name in filters if name.lstrip("!") not in PARTS]
    if unknown:
        raise ModuleFailure("mysql_info knows no part %s; there are: %s" % (", ".join(unknown), ", ".join(sorted(PARTS))))
    without = {name[1:] for name in filters if name.startswith("!")}
    only = {name for name in filters if not name.startswith("!")}
    return sorted(only or set(PARTS) - without)


def version(connection, args):
    major, minor, release = version_of(connection)
    full = connection.version
    text = full[6:] if full.startswith("5.5.5-") else full
    suffix = re.sub(r"^[0-9.]+-?", "", text)
    return {"major": major, "minor": minor, "release": release, "suffix": suffix, "full": text}


def databases(connection, args):
    without_size = "db_size" in (args.exclude_fields or ())
    sizes = {} if without_size else {row["name"]: int(float(row["size"] or 0)) for row in connection.rows(SIZES)}
    names = [list(row.values())[0] for row in connection.rows("SHOW DATABASES")]
    shown = [name for name in names if name in sizes or args.return_empty_dbs or without_size]
    return {name: {} if without_size else {"size": sizes.get(name, 0)} for name in shown}


def settings(connection, args):
    return pairs(connection.rows("SHOW GLOBAL VARIABLES"))


def global_status(connection, args):
    return pairs(connection.rows("SHOW GLOBAL STATUS"))


def pairs(rows):
    return {row["Variable_name"]: number(row["Value"]) for row in rows}


def number(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        return text


def engines(connection, args):
    return {row.pop("Engine"): row for row in connection.rows("SHOW ENGINES")}


def users(connection, args):
    found = {}
    for row in connection.rows("SELECT * FROM mysql.user"):
        user, host = row.pop("User"), row.pop("Host")
        found.setdefault(host, {})[user] = row
    return found


def users_info(connection, args):
    made = []
    for row in connection.rows("SELECT User, Host, plugin, authentication_string FROM mysql.user WHERE User <> ''"):
        made.append({"name": row["User"], "host": row["Host"], "plugin": row["plugin"], "plugin_hash_string": row["authentication_string"]})
    return made


def master_status(connection, args):
    for statement in ("SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"):
        try:
            return next(iter(connection.rows(statement)), {})
        except ServerError as problem:
            if problem.code != 1064:
                raise
    return {}


def slave_status(connection, args):
    found = {}
    for row in connection.rows("SHOW ALL SLAVES STATUS" if is_mariadb(connection) else "SHOW REPLICA STATUS" if version_of(connection) >= (8, 0, 22) else "SHOW SLAVE STATUS"):
        host, port, user = (next((row.pop(name) for name in names if name in row), "") for names in (
            ("Master_Host", "Source_Host"), ("Master_Port", "Source_Port"), ("Master_User", "Source_User")))
        found.setdefault(host, {}).setdefault(port, {})[user] = row
    return found


def slave_hosts(connection, args):
    newer = not is_mariadb(connection) and version_of(connection) >= (8, 0, 22)
    return {row.pop("Server_id", row.pop("Server_Id", "")): row for row in connection.rows("SHOW REPLICAS" if newer else "SHOW SLAVE HOSTS")}


PARTS = {
    "version": version, "databases": databases, "settings": settings, "global_status": global_status, "engines": engines, "users": users,
    "users_info": users_info, "master_status": master_status, "slave_status": slave_status, "slave_hosts": slave_hosts,
}
