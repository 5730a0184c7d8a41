"""Ask a PostgreSQL server whether it answers, and which version it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Dictionary, Flag, Integer, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({"trust_input": Flag(default=True)}),
    returns={
        "is_available": Flag(), "conn_err_msg": Text(), "server_version": Dictionary(text="full, major, minor, raw."),
        "seconds": Integer(text="How long the answer took."),
    },
    examples=("postgresql_ping: {login_db: app}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    import time

    started = time.monotonic()
    try:
        async with open_session(context, args) as session:
            await session.value("SELECT 1")
            found = await version_of(session)
    except ModuleFailure as failure:
        return {"changed": False, "is_available": False, "server_version": {}, "conn_err_msg": failure.msg}
    seconds = round(time.monotonic() - started, 4)
    return {"changed": False, "is_available": True, "server_version": found, "conn_err_msg": "", "seconds": seconds}


async def version_of(session: Session) -> dict[str, Any]:
    major, minor = divmod(session.version, 10000)
    raw = await session.value("SELECT pg_catalog.version()")
    return {"full": f"{major}.{minor}", "major": major, "minor": minor, "raw": raw}
