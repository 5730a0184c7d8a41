"""Gather what a PostgreSQL server is and how it does: databases, sizes, connections, cache hits, roles, settings."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from opsplay.actions.postgresql_ping import version_of
from opsplay.postgres.failures import told_as_result
from opsplay.postgres.login import with_login
from opsplay.postgres.session import Session, open_session
from opsplay.remote.spec import Args, Dictionary, Flag, Listing, Spec, Text

if TYPE_CHECKING:
    from opsplay.actions.context import Context

SPEC = Spec(
    args=with_login({
        "filter": Listing(default=[], text="Only these parts; * matches, a leading ! leaves out."),
        "trust_input": Flag(default=True),
    }),
    returns={
        "version": Dictionary(), "databases": Dictionary(), "in_recovery": Flag(), "replications": Dictionary(),
        "repl_slots": Dictionary(), "roles": Dictionary(), "settings": Dictionary(), "pending_restart_settings": Listing(),
        "tablespaces": Dictionary(), "extensions": Dictionary(text="Of the database logged in to."),
        "connections": Dictionary(text="total, active, idle, idle_in_transaction, waiting, max, used_pct."),
        "statistics": Dictionary(text="pg_stat_database by database, with cache_hit_ratio."),
        "cache_hit_ratio": Text(text="Percent, over all databases."),
        "uptime_seconds": Text(),
    },
    examples=("postgresql_info: {filter: [version, databases, connections, statistics]}",),
)  # fmt: skip


@told_as_result
async def act(context: Context, args: Args) -> dict[str, Any]:
    async with open_session(context, args) as session:
        result: dict[str, Any] = {"changed": False}
        for name, gather in PARTS.items():
            if wanted(name, args["filter"]):
                result[name] = await gather(session)
    return result


def wanted(name: str, filters: list[str]) -> bool:
    """Ansible's filter: names to gather, or with a leading ! to leave out; the last that matches counts."""
    verdict = not filters or all(entry.startswith("!") for entry in filters)
    for entry in filters:
        if fnmatchcase(name, entry.removeprefix("!")):
            verdict = not entry.startswith("!")
    return verdict


async def _databases(session: Session) -> dict[str, Any]:
    rows = await session.query("databases")
    return {row.pop("name"): row | {"size": str(row["size"]), "size_bytes": row["size"]} for row in rows}


async def _statistics(session: Session) -> dict[str, Any]:
    return {row.pop("database"): row for row in await session.query("statistics")}


async def _cache_hit_ratio(session: Session) -> float | None:
    rows = await session.query("statistics")
    hit, read = sum(row["blks_hit"] for row in rows), sum(row["blks_read"] for row in rows)
    return round(100 * hit / (hit + read), 2) if hit + read else None


async def _connections(session: Session) -> dict[str, Any]:
    return (await session.query("connections"))[0]


async def _settings(session: Session) -> dict[str, Any]:
    return {row.pop("name"): row for row in await session.query("settings")}


async def _pending(session: Session) -> list[str]:
    return [row["name"] for row in await session.query("settings") if row["pending_restart"]]


async def _in_recovery(session: Session) -> bool:
    return bool(await session.value("SELECT pg_catalog.pg_is_in_recovery()"))


async def _uptime(session: Session) -> float:
    seconds = await session.value("SELECT EXTRACT(epoch FROM pg_catalog.now() - pg_catalog.pg_postmaster_start_time())")
    return float(seconds)


def _by(key: str, query: str) -> Any:
    async def gather(session: Session) -> dict[str, Any]:
        return {str(row.pop(key)): row for row in await session.query(query)}

    return gather


PARTS: dict[str, Any] = {
    "version": version_of, "databases": _databases, "in_recovery": _in_recovery, "replications": _by("pid", "replication"),
    "repl_slots": _by("slot_name", "slots"), "roles": _by("name", "roles"), "settings": _settings,
    "pending_restart_settings": _pending, "tablespaces": _by("name", "tablespaces"), "extensions": _by("name", "extensions"),
    "connections": _connections, "statistics": _statistics, "cache_hit_ratio": _cache_hit_ratio, "uptime_seconds": _uptime,
}  # fmt: skip
