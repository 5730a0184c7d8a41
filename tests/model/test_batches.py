"""serial: how the hosts of a play are cut, by Ansible's documented rule."""

from __future__ import annotations

import pytest

from opsplay.errors import OpsError
from opsplay.plan.batches import batches_of, ordered

TEN = [f"h{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("serial", "sizes"),
    [
        (None, [10]), (0, [10]), (3, [3, 3, 3, 1]), ("3", [3, 3, 3, 1]), ("30%", [3, 3, 3, 1]), ("5%", [1] * 10), ("100%", [10]),
        ([1, 5], [1, 5, 4]), ([1, "20%", 0], [1, 2, 7]), (["10%", "50%", "100%"], [1, 5, 4]), (20, [10]), ([], [10]),
    ],
)  # fmt: skip
def test_sizes(serial: object, sizes: list[int]) -> None:
    batches = batches_of(TEN, serial)
    assert [len(batch) for batch in batches] == sizes
    assert [host for batch in batches for host in batch] == TEN


@pytest.mark.parametrize("hosts", [[], ["h1"]])
def test_few_hosts(hosts: list[str]) -> None:
    assert batches_of(hosts, "50%") == ([hosts] if hosts else [])


@pytest.mark.parametrize("serial", ["several", "x%", [1, "y"]])
def test_no_number(serial: object) -> None:
    with pytest.raises(OpsError, match="number or a percent"):
        batches_of(TEN, serial)


def test_orders() -> None:
    mixed = ["b", "a", "c"]
    assert [ordered(mixed, name, None) for name in (None, "inventory", "reverse_inventory", "sorted", "reverse_sorted")] == [
        ["b", "a", "c"], ["b", "a", "c"], ["c", "a", "b"], ["a", "b", "c"], ["c", "b", "a"],
    ]  # fmt: skip
    assert sorted(ordered(mixed, "shuffle", None)) == ["a", "b", "c"]
