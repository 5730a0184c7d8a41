"""Versions that are not safe to maintain: known holes and known corruption, by the server's own number."""

from __future__ import annotations

from opsplay.remote.spec import ModuleFailure

# CVE-2022-1552: before these, index functions ran as whoever ran VACUUM, ANALYZE or REINDEX: as the superuser.
RESTRICTED_SINCE = {10: 21, 11: 16, 12: 11, 13: 7, 14: 3}
CONCURRENT_CORRUPTS = range(140000, 140004)  # 14.0 to 14.3: CREATE/REINDEX INDEX CONCURRENTLY lost rows


def require_safe(version: int, superuser: bool, concurrently: bool = False) -> None:
    major, minor = divmod(version, 10000)
    if superuser and (major < 10 or minor < RESTRICTED_SINCE.get(major, 0)):
        raise ModuleFailure(
            f"PostgreSQL {major}.{minor} runs users' index functions with the maintainer's rights (CVE-2022-1552): "
            "update it, or maintain each table as its owner (session_role)"
        )
    if concurrently and version in CONCURRENT_CORRUPTS:
        raise ModuleFailure(f"PostgreSQL {major}.{minor} can corrupt an index that is built concurrently: update to 14.4 first")
