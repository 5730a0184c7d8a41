"""Batches: how `serial` and `order` cut the hosts of a play."""

from __future__ import annotations

import random
from typing import Any

from opsplay.errors import OpsError


def batches_of(hosts: list[str], serial: Any) -> list[list[str]]:
    """Lists of hosts by Ansible's rule: numbers or percents, the last one repeated; none or 0 is one batch."""
    sizes = [size_of(item, len(hosts)) for item in (serial if isinstance(serial, (list, tuple)) else [serial])]
    if not hosts or not sizes or sizes == [0]:
        return [hosts] if hosts else []
    batches, rest, index = [], list(hosts), 0
    while rest:
        size = sizes[min(index, len(sizes) - 1)] or len(rest)
        batches.append(rest[:size])
        rest = rest[size:]
        index += 1
    return batches


def size_of(value: Any, total: int) -> int:
    if value is None:
        return 0
    text = str(value).strip()
    try:
        size = max(1, int(float(text[:-1]) / 100 * total)) if text.endswith("%") else int(float(text))
    except ValueError:
        raise OpsError(
            "bad-serial", f"serial is a number or a percent, not {value!r}", remedy='Write serial: 2 or serial: "25%".'
        ) from None
    return max(0, size)


def ordered(hosts: list[str], order: Any, inventory: Any) -> list[str]:
    """`order`: inventory (the default), reverse_inventory, sorted, reverse_sorted, shuffle."""
    if order in (None, "inventory"):
        return hosts
    if order == "reverse_inventory":
        return hosts[::-1]
    if order in ("sorted", "reverse_sorted"):
        return sorted(hosts, reverse=order != "sorted")
    if order == "shuffle":
        return random.sample(hosts, len(hosts))
    raise OpsError(
        "bad-order",
        f"Invalid order specified: {order}",
        remedy="Use inventory, reverse_inventory, sorted, reverse_sorted or shuffle.",
    )
