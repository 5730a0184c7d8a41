"""Install, update or drop an extension of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import open_session
from opsplay.remote.spec import Args, Choice, Flag, Listing, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "name": Text(required=True, aliases=("ext",)), "state": Choice("present", "absent", default="present"),
        "schema": Text(text="Where to put its objects."), "cascade": Flag(default=False), "version": Text(text="A version, or latest."),
        "comment": Text(), "trust_input": Flag(default=True),
    }),
    returns={"queries": Listing(), "prev_version": Text(), "version": Text()},
    examples=("postgresql_ext: {name: pg_stat_statements, login_db: app}",),
)  # fmt: skip
FOUND = """
SELECT a.default_version, e.extversion AS version, n.nspname AS schema FROM pg_catalog.pg_available_extensions a
LEFT JOIN pg_catalog.pg_extension e ON e.extname = a.name LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE a.name = %s
"""


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    async with open_session(context, args) as session:
        rows = await session.rows(FOUND, [args.name])
        if not rows and args.state == "present":
            raise ModuleFailure(f"the extension {args.name} is not available on this server: install its package")
        found = rows[0] if rows else {"version": None, "schema": None, "default_version": None}
        statements = _statements(args, found)
        texts = [statement.as_string(session.connection) for statement in statements]
        if not context.check:
            for statement in statements:
                await session.run(statement)
    will = None if args.state == "absent" else _wanted(args, found) or found["version"]
    return {"changed": bool(texts), "queries": texts, "prev_version": found["version"] or "", "version": will or ""}


def _wanted(args: Args, found: dict[str, Any]) -> str | None:
    if args.version == "latest" or (not args.version and not found["version"]):
        return str(found["default_version"])
    return args.version or None


def _statements(args: Args, found: dict[str, Any]) -> list[Any]:
    from psycopg import sql

    name = sql.Identifier(args.name)
    cascade = sql.SQL(" CASCADE" if args.cascade else "")
    if args.state == "absent":
        return [sql.SQL("DROP EXTENSION {}").format(name) + cascade] if found["version"] else []
    wanted = _wanted(args, found)
    if not found["version"]:
        made = sql.SQL("CREATE EXTENSION {}").format(name)
        made += sql.SQL(" SCHEMA {}").format(sql.Identifier(args["schema"])) if args["schema"] else sql.SQL("")
        made += sql.SQL(" VERSION {}").format(sql.Literal(wanted)) if args.version else sql.SQL("")
        return [made + cascade]
    changes = []
    if wanted and wanted != found["version"]:
        changes.append(sql.SQL("ALTER EXTENSION {} UPDATE TO {}").format(name, sql.Literal(wanted)))
    if args["schema"] and args["schema"] != found["schema"]:
        changes.append(sql.SQL("ALTER EXTENSION {} SET SCHEMA {}").format(name, sql.Identifier(args["schema"])))
    return changes
