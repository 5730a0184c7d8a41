"""Make, change or drop a database, or rename it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Choice, Flag, Listing, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "name": Text(required=True, aliases=("db",), text="The database."),
        "state": Choice("present", "absent", "rename", "dump", "restore", default="present", text="dump and restore: use command and backup_verify."),
        "owner": Text(default=""), "template": Text(default=""), "encoding": Text(default=""), "lc_collate": Text(default=""),
        "lc_ctype": Text(default=""), "tablespace": Text(default=""), "conn_limit": Text(default=""), "comment": Text(default=""),
        "target": Text(default="", text="The new name, for rename."), "force": Flag(default=False, text="Drop it even if somebody is connected."),
        "maintenance_db": Text(default="postgres", text="The database to log in to."), "trust_input": Flag(default=True),
        "icu_locale": Text(default=""), "locale_provider": Text(default=""), "target_opts": Text(default=""), "dump_extra_args": Text(),
    }),
    returns={"db": Text(), "executed_commands": Listing()},
    examples=("postgresql_db: {name: app, owner: app, encoding: UTF8}",),
)  # fmt: skip
FOUND = """
SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS lc_collate, d.datctype AS lc_ctype, d.datconnlimit::text AS conn_limit, t.spcname AS tablespace,
       COALESCE(pg_catalog.shobj_description(d.oid, 'pg_database'), '') AS comment
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = %s
"""


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    if args.state in ("dump", "restore"):
        raise ModuleFailure(f"state: {args.state} is not done here: run pg_{args.state} by command, and prove it by backup_verify")
    async with open_session(context, args, database=args.maintenance_db) as session:
        rows = await session.rows(FOUND, [args.name])
        statements = await _statements(session, args, rows[0] if rows else None)
        texts = [statement.as_string(session.connection) for statement in statements]
        if not context.check:
            for statement in statements:
                await session.run(statement)
    return {"changed": bool(texts), "db": args.name, "executed_commands": texts}


async def _statements(session: Session, args: Args, found: dict[str, Any] | None) -> list[Any]:
    from psycopg import sql

    name = sql.Identifier(args.name)
    if args.state == "absent":
        forced = sql.SQL(" WITH (FORCE)" if args.force else "")
        return [sql.SQL("DROP DATABASE {}").format(name) + forced] if found else []
    if args.state == "rename":
        return await _rename(session, args, found)
    return _change(args, found) if found else _create(args)


async def _rename(session: Session, args: Args, found: dict[str, Any] | None) -> list[Any]:
    from psycopg import sql

    if not args.target:
        raise ModuleFailure("state: rename needs target")
    there = await session.rows(FOUND, [args.target])
    if found and there:
        raise ModuleFailure(f"both {args.name} and {args.target} exist")
    if not found and not there:
        raise ModuleFailure(f"neither {args.name} nor {args.target} exists")
    return [sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(args.name), sql.Identifier(args.target))] if found else []


def _create(args: Args) -> list[Any]:
    from psycopg import sql

    made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(args.name))
    for key, word, literal in (("owner", "OWNER", False), ("template", "TEMPLATE", False), ("encoding", "ENCODING", True),
                               ("lc_collate", "LC_COLLATE", True), ("lc_ctype", "LC_CTYPE", True), ("tablespace", "TABLESPACE", False)):  # fmt: skip
        if args[key]:
            made += sql.SQL(f" {word} ") + (sql.Literal(args[key]) if literal else sql.Identifier(args[key]))
    if args.conn_limit:
        made += sql.SQL(" CONNECTION LIMIT ") + sql.Literal(int(args.conn_limit))
    return [made, *_comment(args, "")]


def _change(args: Args, found: dict[str, Any]) -> list[Any]:
    from psycopg import sql

    name = sql.Identifier(args.name)
    for key in ("encoding", "lc_collate", "lc_ctype"):
        if args[key] and _plain(args[key]) != _plain(found[key]):
            raise ModuleFailure(f"changing {key} of an existing database is not possible: it is {found[key]}")
    changes = []
    if args.owner and args.owner != found["owner"]:
        changes.append(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(args.owner)))
    if args.conn_limit and args.conn_limit != found["conn_limit"]:
        changes.append(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(name, sql.Literal(int(args.conn_limit))))
    if args.tablespace and args.tablespace != found["tablespace"]:
        changes.append(sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(name, sql.Identifier(args.tablespace)))
    return [*changes, *_comment(args, found["comment"])]


def _comment(args: Args, now: str) -> list[Any]:
    from psycopg import sql

    if not args.comment or args.comment == now:
        return []
    return [sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(args.name), sql.Literal(args.comment))]


def _plain(word: str) -> str:
    return word.lower().replace("-", "")
