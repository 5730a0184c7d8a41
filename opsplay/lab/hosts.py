"""Owns the nouns of a lab: its hosts, what role each plays, and the names that `--hosts` stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opsplay.errors import Fault, OpsError

STANDARD = ("web1", "web2", "db1", "cache1")
MOST = 200
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
ROLE_PREFIXES = ("web", "db", "cache")


@dataclass(frozen=True, slots=True)
class LabHost:
    """One host of a lab and how to reach it over SSH."""

    name: str
    role: str
    address: str
    port: int
    user: str
    key: Path
    home: Path
    """Where the controller keeps this host: its file system, console log and cable."""


def role_of(name: str) -> str:
    """`web3` plays web, `db2` db, `cache1` cache; any other name is a plain host."""
    return next((prefix for prefix in ROLE_PREFIXES if re.fullmatch(prefix + r"\d*", name)), "plain")


def host_names(asked: int | Sequence[str] | None) -> tuple[str, ...]:
    """The names for `--hosts`: none asked means the standard four; a number adds node1, node2, ... to them."""
    if asked is None:
        return STANDARD
    names = tuple(asked) if not isinstance(asked, int) else numbered(asked)
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong or len(set(names)) != len(names) or not 1 <= len(names) <= MOST:
        raise OpsError(
            "lab-bad-hosts",
            f"a lab has 1 to {MOST} hosts with different names of lower-case letters, digits and dashes; "
            f"asked for: {', '.join(names) or 'none'}",
            remedy="For example: opsplay lab up --hosts 6\nor: opsplay lab up --hosts web1,web2,db1",
            fault=Fault.USAGE,
        )
    return names


def numbered(count: int) -> tuple[str, ...]:
    more = tuple(f"node{number}" for number in range(1, count - len(STANDARD) + 1))
    return (STANDARD + more)[: max(count, 0)]
