"""Set a server parameter by ALTER SYSTEM, where it differs; say whether a reload or a restart is still needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres import setting_values
from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Dictionary, Flag, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "name": Text(required=True, text="The parameter."),
        "value": Text(text="Its value, as in postgresql.conf."),
        "reset": Flag(default=False, text="Back to the value of postgresql.conf or the built-in one."),
        "reload": Flag(default=False, text="pg_reload_conf() afterwards, where something changed."),
        "trust_input": Flag(default=True),
    }),
    returns={
        "name": Text(), "restart_required": Flag(), "reload_required": Flag(), "prev_val_pretty": Text(), "value_pretty": Text(),
        "value": Dictionary(text="value and unit."), "context": Text(text="When the server takes it: sighup, postmaster, user ..."),
    },
    examples=("postgresql_set: {name: work_mem, value: 128MB, reload: true}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    if (args.value is None) == (not args.reset):
        raise ModuleFailure("give a value, or say reset: true")
    async with open_session(context, args) as session:
        before = await _setting(session, args.name)
        if before["context"] == "internal":
            raise ModuleFailure(f"{args.name} is fixed: it cannot be set")
        configured = await _configured(session, args.name)
        wanted = before["boot_val"] if args.reset else args.value
        changed = configured is not None if args.reset else not _holds(before, configured, args.value)
        if changed and not context.check:
            await _alter(session, args)
    return _result(args, before, wanted or "", changed, context.diff)


async def _setting(session: Session, name: str) -> dict[str, Any]:
    rows = await session.rows(
        "SELECT name, setting, unit, context, vartype, boot_val FROM pg_catalog.pg_settings WHERE name = pg_catalog.lower(%s)", [name])
    if not rows:
        raise ModuleFailure(f"no parameter is called {name}")
    return rows[0]


async def _configured(session: Session, name: str) -> str | None:
    """What ALTER SYSTEM said last, applied already or not."""
    rows = await session.rows(
        "SELECT setting FROM pg_catalog.pg_file_settings WHERE name = pg_catalog.lower(%s) AND sourcefile LIKE '%%postgresql.auto.conf' "
        "ORDER BY seqno DESC LIMIT 1", [name])
    return rows[0]["setting"] if rows else None


def _holds(now: dict[str, Any], configured: str | None, wanted: str) -> bool:
    is_now = configured if configured is not None else now["setting"]
    unit = now["unit"] if configured is None or configured.isdigit() else None
    return setting_values.canonical(is_now, now["vartype"], unit or now["unit"]) == setting_values.canonical(wanted, now["vartype"], now["unit"])


async def _alter(session: Session, args: Args) -> None:
    from psycopg import sql

    if args.reset:
        await session.run(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(args.name)))
    else:
        parts = [sql.Literal(part.strip()) for part in args.value.split(",")] if args.name.endswith("_libraries") else [sql.Literal(args.value)]
        await session.run(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(args.name), sql.SQL(", ").join(parts)))
    if args.reload:
        await session.value("SELECT pg_catalog.pg_reload_conf()")


def _result(args: Args, before: dict[str, Any], wanted: str, changed: bool, diff: bool) -> dict[str, Any]:
    was = setting_values.pretty(before["setting"], before["vartype"], before["unit"])
    will = setting_values.pretty(wanted, before["vartype"], before["unit"]) if changed else was
    restart = changed and before["context"] == "postmaster"
    result: dict[str, Any] = {
        "changed": changed, "name": args.name, "context": before["context"], "prev_val_pretty": was, "value_pretty": will,
        "value": {"value": wanted if changed else before["setting"], "unit": before["unit"]}, "restart_required": restart,
        "reload_required": changed and not restart and not args.reload,
    }  # fmt: skip
    if diff and changed:
        result["diff"] = {"before": {args.name: was}, "after": {args.name: will}}
    return result
