"""Grant or revoke privileges: what the server's own access lists say before and after decides whether anything changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Choice, Flag, Listing, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

TYPES = ("table", "sequence", "function", "procedure", "database", "schema", "language", "tablespace", "type", "foreign_data_wrapper",
         "foreign_server", "group", "default_privs")  # fmt: skip
SPEC = Spec(
    args=with_login({
        "database": Text(aliases=("db", "login_db"), default="postgres", text="The database to log in to."),
        "state": Choice("present", "absent", default="present"),
        "privs": Text(aliases=("priv",), text="SELECT,INSERT ... or ALL; for type: group not given."),
        "type": Choice(*TYPES, default="table"),
        "objs": Text(aliases=("obj",), text="Names separated by commas, or ALL_IN_SCHEMA."),
        "schema": Text(text="Of the objects; public."),
        "roles": Text(required=True, aliases=("role",), text="Separated by commas; PUBLIC is everybody."),
        "target_roles": Text(text="For default_privs: whose future objects."),
        "grant_option": Flag(aliases=("admin_option",)), "fail_on_role": Flag(default=True), "trust_input": Flag(default=True),
    }),
    returns={"queries": Listing()},
    examples=("postgresql_privs: {database: app, roles: report, privs: SELECT, type: table, objs: ALL_IN_SCHEMA}",),
)  # fmt: skip
# What the access lists look like, over everything a GRANT of this type can touch.
LISTS = {
    "table": "SELECT oid::text AS o, relacl::text AS a, (SELECT pg_catalog.string_agg(attname || attacl::text, ',') FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL) AS b FROM pg_catalog.pg_class c WHERE relkind IN ('r', 'v', 'm', 'p', 'f')",
    "sequence": "SELECT oid::text AS o, relacl::text AS a FROM pg_catalog.pg_class WHERE relkind = 'S'",
    "function": "SELECT oid::text AS o, proacl::text AS a FROM pg_catalog.pg_proc", "procedure": "SELECT oid::text AS o, proacl::text AS a FROM pg_catalog.pg_proc",
    "database": "SELECT oid::text AS o, datacl::text AS a FROM pg_catalog.pg_database", "schema": "SELECT oid::text AS o, nspacl::text AS a FROM pg_catalog.pg_namespace",
    "language": "SELECT oid::text AS o, lanacl::text AS a FROM pg_catalog.pg_language", "tablespace": "SELECT oid::text AS o, spcacl::text AS a FROM pg_catalog.pg_tablespace",
    "type": "SELECT oid::text AS o, typacl::text AS a FROM pg_catalog.pg_type", "foreign_data_wrapper": "SELECT oid::text AS o, fdwacl::text AS a FROM pg_catalog.pg_foreign_data_wrapper",
    "foreign_server": "SELECT oid::text AS o, srvacl::text AS a FROM pg_catalog.pg_foreign_server",
    "group": "SELECT roleid::text AS o, member::text || admin_option::text AS a FROM pg_catalog.pg_auth_members",
    "default_privs": "SELECT oid::text AS o, defaclacl::text || defaclobjtype::text AS a FROM pg_catalog.pg_default_acl",
}  # fmt: skip
WORDS = re.compile(r"^[A-Z ]+(\([^()]*\))?$")


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    import psycopg

    async with open_session(context, args, database=args.database) as session:
        statements = _statements(args)
        texts = [statement.as_string(session.connection) for statement in statements]
        try:
            changed = await _apply(session, args, statements, undo=context.check)
        except psycopg.errors.UndefinedObject as problem:
            if args.fail_on_role:
                raise
            return {"changed": False, "queries": [], "warnings": [str(problem.diag.message_primary)]}
    return {"changed": changed, "queries": texts if changed else []}


async def _apply(session: Session, args: Args, statements: list[Any], undo: bool) -> bool:
    """Done in a transaction, compared, and undone where nothing may change: check mode, or nothing did."""
    async with session.connection.transaction(force_rollback=undo):
        before = await _lists(session, args["type"])
        for statement in statements:
            await session.run(statement)
        return before != await _lists(session, args["type"])


async def _lists(session: Session, kind: str) -> list[list[Any]]:
    rows = await session.rows(LISTS[kind])
    return sorted([[row["o"], _entries(row["a"]), _entries(row.get("b"))] for row in rows])


def _entries(text: str | None) -> list[str]:
    """An access list says the same in any order."""
    return sorted((text or "").strip("{}").split(","))


def _statements(args: Args) -> list[Any]:
    from psycopg import sql

    if not args.objs and args["type"] != "default_privs" and args["type"] != "database":
        raise ModuleFailure(f"type: {args['type']} needs objs")
    roles = sql.SQL(", ").join(_role(name) for name in _split(args.roles))
    if args["type"] == "group":
        return [_group(args, role, roles) for role in _split(args.objs)]
    what = _privileges(args.privs)
    if args["type"] == "default_privs":
        return _default(args, what, roles)
    return [_sentence(args, what, sql.SQL(" ON ") + _objects(args), roles)]


def _sentence(args: Args, what: Any, on: Any, roles: Any) -> Any:
    from psycopg import sql

    if args.state == "absent":
        option = sql.SQL("GRANT OPTION FOR ") if args.grant_option is False else sql.SQL("")
        return sql.SQL("REVOKE ") + option + what + on + sql.SQL(" FROM ") + roles
    option = sql.SQL(" WITH GRANT OPTION") if args.grant_option else sql.SQL("")
    return sql.SQL("GRANT ") + what + on + sql.SQL(" TO ") + roles + option


def _group(args: Args, role: str, members: Any) -> Any:
    from psycopg import sql

    if args.state == "absent":
        return sql.SQL("REVOKE {} FROM ").format(sql.Identifier(role)) + members
    return sql.SQL("GRANT {} TO ").format(sql.Identifier(role)) + members + sql.SQL(" WITH ADMIN OPTION" if args.grant_option else "")


def _default(args: Args, what: Any, roles: Any) -> list[Any]:
    from psycopg import sql

    start: Any = sql.SQL("ALTER DEFAULT PRIVILEGES ")
    if args.target_roles:
        start += sql.SQL("FOR ROLE ") + sql.SQL(", ").join(sql.Identifier(name) for name in _split(args.target_roles)) + sql.SQL(" ")
    if args["schema"]:
        start += sql.SQL("IN SCHEMA {} ").format(sql.Identifier(args["schema"]))
    kinds = [kind.upper() for kind in _split(args.objs or "TABLES,SEQUENCES,FUNCTIONS,TYPES")]
    for kind in kinds:
        if kind not in ("TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS"):
            raise ModuleFailure(f"default privileges are for TABLES, SEQUENCES, FUNCTIONS, TYPES or SCHEMAS, not {kind}")
    return [start + _sentence(args, what, sql.SQL(f" ON {kind}"), roles) for kind in kinds]


def _privileges(text: str | None) -> Any:
    from psycopg import sql

    words = [" ".join(word.upper().split()) if "(" not in word else word for word in re.split(r",(?![^(]*\))", text or "") if word.strip()]
    if not words:
        raise ModuleFailure("name the privileges: privs")
    for word in words:
        if not WORDS.match(word.strip() if "(" not in word else word.split("(")[0].strip().upper()):
            raise ModuleFailure(f"{word} is no privilege")
    return sql.SQL(", ").join(_privilege(word.strip()) for word in words)


def _privilege(word: str) -> Any:
    """SELECT, or for columns SELECT (a, b)."""
    from psycopg import sql

    verb, bracket, columns = word.partition("(")
    if not bracket:
        return sql.SQL(word.upper())
    names = sql.SQL(", ").join(sql.Identifier(column.strip()) for column in columns.rstrip(") ").split(","))
    return sql.SQL(verb.strip().upper() + " (") + names + sql.SQL(")")


def _objects(args: Args) -> Any:
    from psycopg import sql

    kind, schema = args["type"], args["schema"] or "public"
    names = _split(args.objs or args.database)
    if names == ["ALL_IN_SCHEMA"]:
        return sql.SQL(f"ALL {kind.upper()}S IN SCHEMA ") + sql.Identifier(schema)
    if kind in ("function", "procedure"):
        return sql.SQL(f"{kind.upper()} ") + sql.SQL(", ").join(_function(schema, name) for name in names)
    inside = kind in ("table", "sequence", "type")
    word = kind.upper().replace("_", " ")
    return sql.SQL(f"{word} ") + sql.SQL(", ").join(sql.Identifier(schema, name) if inside else sql.Identifier(name) for name in names)


def _function(schema: str, text: str) -> Any:
    """`f(int:text)`: arguments are separated by colons, as Ansible documents it."""
    from psycopg import sql

    match = re.fullmatch(r"([^()]+)\(([\w\s:.\[\]\"]*)\)", text)
    if not match:
        raise ModuleFailure(f"{text}: a function is named with its argument types: name(int:text)")
    return sql.Identifier(schema, match[1]) + sql.SQL(f"({match[2].replace(':', ', ')})")


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^(]*\))", text or "") if part.strip()]


def _role(name: str) -> Any:
    from psycopg import sql

    return sql.SQL(name.upper()) if name.upper() in ("PUBLIC", "CURRENT_USER", "SESSION_USER") else sql.Identifier(name)
