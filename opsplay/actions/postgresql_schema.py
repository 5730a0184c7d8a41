"""Make, hand over or drop a schema of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import open_session
from opsplay.remote.spec import Args, Choice, Flag, Listing, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "name": Text(required=True, aliases=("schema",)), "owner": Text(default=""), "state": Choice("present", "absent", default="present"),
        "cascade_drop": Flag(default=False), "comment": Text(), "trust_input": Flag(default=True),
    }),
    returns={"schema": Text(), "queries": Listing()},
    examples=("postgresql_schema: {name: billing, owner: app, login_db: app}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    from psycopg import sql

    name = sql.Identifier(args.name)
    async with open_session(context, args) as session:
        owner = await session.value("SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace WHERE nspname = %s", [args.name])
        statements = []
        if args.state == "absent":
            cascade = sql.SQL(" CASCADE" if args.cascade_drop else "")
            statements = [sql.SQL("DROP SCHEMA {}").format(name) + cascade] if owner else []
        elif not owner:
            to = sql.SQL(" AUTHORIZATION {}").format(sql.Identifier(args.owner)) if args.owner else sql.SQL("")
            statements = [sql.SQL("CREATE SCHEMA {}").format(name) + to]
        elif args.owner and args.owner != owner:
            statements = [sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(name, sql.Identifier(args.owner))]
        texts = [statement.as_string(session.connection) for statement in statements]
        if not context.check:
            for statement in statements:
                await session.run(statement)
    return {"changed": bool(texts), "schema": args.name, "queries": texts}
