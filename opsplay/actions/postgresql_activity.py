"""List the queries that run for long, what they wait for, and who blocks them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import open_session
from opsplay.remote.durations import seconds
from opsplay.remote.spec import Args, Flag, Integer, Listing, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "min_duration": Text(default="30s", text="Only what has run this long."),
        "idle": Flag(default=False, text="Idle connections, too."),
        "query_length": Integer(default=200, text="Characters of each query to show."),
    }),
    returns={"queries": Listing(text="pid, user, database, state, query_seconds, blocked_by, query ..."), "count": Integer()},
    examples=("postgresql_activity: {min_duration: 5m}",),
)  # fmt: skip
SECRETS = re.compile(r"(?i)((?:password|passwd|secret|token|api_?key)\w*['\"]?\s*(?:=|:|\s)\s*)('(?:[^']|'')*'?|\"[^\"]*\"?|[^\s,;)]+)")


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    async with open_session(context, args) as session:
        rows = await session.query("activity", {"idle": args.idle, "seconds": seconds(args.min_duration, "min_duration")})
    for row in rows:
        row["query"] = masked(row["query"] or "")[: args.query_length]
    return {"changed": False, "queries": rows, "count": len(rows)}


def masked(query: str) -> str:
    """The query on one line, with what looks like a secret left out."""
    return SECRETS.sub(r"\1***", " ".join(query.split()))
