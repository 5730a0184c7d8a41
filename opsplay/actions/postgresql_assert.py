"""Ask read-only questions and compare the answers: counts, NULLs, totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsplay.postgres.expectations import CHECK_FIELDS, verdict
from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import open_session
from opsplay.remote.spec import Args, Dictionary, Flag, Listing, ModuleFailure, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "checks": Listing(required=True, elements=Dictionary(fields=CHECK_FIELDS), text="query, and expect, min or max."),
        "fail": Flag(default=True, text="An answer that is not as expected is a failure."),
    }),
    returns={"checks": Listing(text="name, value, level, message of each."), "verdict": Text(text="ok, warn or crit.")},
    examples=("postgresql_assert: {login_db: app, checks: [{query: 'SELECT count(*) FROM bills WHERE id IS NULL', expect: 0}]}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    told = []
    async with open_session(context, args, path="") as session:
        await session.run("SET default_transaction_read_only = on")
        for check in args.checks:
            told.append(verdict(check, await session.value(check["query"])))
    worst = max((check["level"] for check in told), key=("ok", "warn", "crit").index, default="ok")
    result: dict[str, Any] = {"changed": False, "checks": told, "verdict": worst}
    if args.fail and worst == "crit":
        raise ModuleFailure("; ".join(check["message"] for check in told if check["level"] == "crit"), **result)
    return result
