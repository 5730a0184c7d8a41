"""Limits: how much a text may ask of us before it is refused; each has a default that honest files never meet."""

from __future__ import annotations

from opsplay.lazy_dataclass import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """`nodes` counts a text as its aliases expand it, so that a short bomb is as big as what it means."""

    size: int = 2 * MEBIBYTE
    scalar: int = MEBIBYTE
    depth: int = 64
    aliases: int = 1024
    nodes: int = 200_000


PLAYBOOK = Limits()
INVENTORY = Limits(size=64 * MEBIBYTE, aliases=100_000, nodes=10_000_000)
