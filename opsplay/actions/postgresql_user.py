"""Make, change or drop a role: attributes, password, expiry, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres import passwords
from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Choice, Dictionary, Flag, Integer, Listing, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "name": Text(required=True, aliases=("user",), text="The role."),
        "password": Text(secret=True, text="In clear, or a stored verifier (md5..., SCRAM-SHA-256$...); the empty string removes it."),
        "state": Choice("present", "absent", default="present"),
        "role_attr_flags": Text(default="", text="SUPERUSER, NOCREATEDB, LOGIN ... separated by commas."),
        "encrypted": Flag(default=True), "no_password_changes": Flag(default=False, text="Set the password only on a new role."),
        "expires": Text(text="VALID UNTIL."), "conn_limit": Integer(), "comment": Text(),
        "fail_on_user": Flag(default=True, aliases=("fail_on_role",), text="A role that owns something is not dropped: fail, or leave it."),
        "configuration": Dictionary(text="Settings of the role."), "trust_input": Flag(default=True),
    }),
    returns={"user": Text(), "queries": Listing(text="Without passwords."), "user_removed": Flag()},
    examples=("postgresql_user: {name: app, password: '{{ app_password }}', role_attr_flags: 'LOGIN,NOSUPERUSER'}",),
)  # fmt: skip
FLAGS = {"SUPERUSER": "rolsuper", "CREATEROLE": "rolcreaterole", "CREATEDB": "rolcreatedb", "INHERIT": "rolinherit",
         "LOGIN": "rolcanlogin", "REPLICATION": "rolreplication", "BYPASSRLS": "rolbypassrls"}  # fmt: skip
FOUND = """
SELECT r.*, pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment, r.rolvaliduntil::text AS expires,
       %(expires)s::timestamptz::text AS wanted_expires FROM pg_catalog.pg_roles r WHERE r.rolname = %(name)s
"""


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    async with open_session(context, args) as session:
        rows = await session.rows(FOUND, {"name": args.name, "expires": args.expires})
        found = rows[0] if rows else None
        if args.state == "absent":
            return await _drop(context, session, args, found)
        statements = await _statements(session, args, found)
        if not context.check:
            async with session.connection.transaction():
                for statement, _ in statements:
                    await session.run(statement)
        told = [shown or statement.as_string(session.connection) for statement, shown in statements]
    return {"changed": bool(told), "user": args.name, "queries": told}


async def _drop(context: Context, session: Session, args: Args, found: dict[str, Any] | None) -> dict[str, Any]:
    import psycopg
    from psycopg import sql

    statement = sql.SQL("DROP ROLE {}").format(sql.Identifier(args.name))
    removed = found is not None
    if found and not context.check:
        try:
            await session.run(statement)
        except psycopg.errors.DependentObjectsStillExist as problem:
            if args.fail_on_user:
                raise ModuleFailure(f"the role {args.name} still owns something: {problem.diag.message_detail}") from problem
            removed = False
    return {"changed": removed, "user": args.name, "user_removed": removed, "queries": [statement.as_string(session.connection)] if removed else []}


async def _statements(session: Session, args: Args, found: dict[str, Any] | None) -> list[tuple[Any, str]]:
    """(statement, what to show instead of it) of each change."""
    from psycopg import sql

    name = sql.Identifier(args.name)
    statements: list[tuple[Any, str]] = [] if found else [(sql.SQL("CREATE USER {}").format(name), "")]
    options = _options(args, found)
    if options:
        statements.append((sql.SQL("ALTER ROLE {} WITH ").format(name) + sql.SQL(" ").join(options), ""))
    if await _password_differs(session, args, found):
        clear = sql.SQL("NULL") if args.password == "" else sql.Literal(passwords.verifier(args.password))
        statements.append((sql.SQL("ALTER ROLE {} PASSWORD ").format(name) + clear, f'ALTER ROLE "{args.name}" PASSWORD ***'))
    if args.comment is not None and args.comment != ((found or {}).get("comment") or ""):
        statements.append((sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(args.comment)), ""))
    return statements + _settings(args, found)


def _options(args: Args, found: dict[str, Any] | None) -> list[Any]:
    from psycopg import sql

    options: list[Any] = []
    for word in [part.strip().upper() for part in args.role_attr_flags.replace(" ", ",").split(",") if part.strip()]:
        plain, wanted = word.removeprefix("NO"), not word.startswith("NO")
        if plain not in FLAGS:
            raise ModuleFailure(f"{word} is no role attribute; there are {', '.join(FLAGS)}, each also with NO")
        is_now = found[FLAGS[plain]] if found else plain in ("LOGIN", "INHERIT")
        if is_now != wanted:
            options.append(sql.SQL(word))
    if args.conn_limit is not None and args.conn_limit != (found["rolconnlimit"] if found else -1):
        options.append(sql.SQL("CONNECTION LIMIT ") + sql.Literal(args.conn_limit))
    if args.expires is not None and (not found or found["expires"] != found["wanted_expires"]):
        options.append(sql.SQL("VALID UNTIL ") + sql.Literal(args.expires))
    return options


async def _password_differs(session: Session, args: Args, found: dict[str, Any] | None) -> bool:
    import psycopg

    if args.password is None or (found and args.no_password_changes):
        return False
    if not found:
        return bool(args.password)
    try:
        stored = await session.value("SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = %s", [args.name])
    except psycopg.errors.InsufficientPrivilege:
        return True  # nobody but a superuser can look
    return not passwords.matches(stored, args.password, args.name)


def _settings(args: Args, found: dict[str, Any] | None) -> list[tuple[Any, str]]:
    from psycopg import sql

    now = dict(entry.split("=", 1) for entry in (found or {}).get("rolconfig") or [])
    return [
        (sql.SQL("ALTER ROLE {} SET {} = {}").format(sql.Identifier(args.name), sql.Identifier(key), sql.Literal(str(value))), "")
        for key, value in (args.configuration or {}).items()
        if now.get(key) != str(value)
    ]
