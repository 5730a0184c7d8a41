"""Facts come quickly, and no dead server, hanging program or broken resolver holds them."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from opsplay.remote.facts import gather, mounts
from opsplay.remote.system import System

ALL_LIMIT, MIN_LIMIT = 0.060, 0.010  # seconds; measured: 0.006 and 0.001


def best_of(times: int, subset: list[str]) -> float:
    best = 9.0
    for _ in range(times):
        start = time.perf_counter()
        gather.collect(System(), subset, 10.0, "/nonexistent")
        best = min(best, time.perf_counter() - start)
    return best


def test_all_facts_are_quick() -> None:
    assert best_of(5, ["all"]) < ALL_LIMIT


def test_the_minimum_is_quicker() -> None:
    assert best_of(5, ["!all"]) < MIN_LIMIT


def test_a_dead_mount_costs_its_limit_once(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    real = mounts.capacity

    def capacity(point: str) -> object:
        if point.startswith("/dead"):
            released.wait(30)
        return real("/")

    monkeypatch.setattr(mounts, "capacity", capacity)
    start = time.monotonic()
    try:
        sizes = mounts.measure(System(), ["/", "/dead/one", "/proc", "/dead/two", "/sys"], 0.5)
    finally:
        released.set()
    assert time.monotonic() - start < 3
    assert "note" in sizes["/dead/one"] and "note" in sizes["/dead/two"]
    assert all(sizes[point]["size_total"] for point in ("/", "/proc", "/sys"))


def test_a_resolver_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getfqdn", lambda: released.wait(30))
    monkeypatch.setattr(gather.platform, "NAME_SECONDS", 0.3)
    start = time.monotonic()
    try:
        facts = gather.collect(System(), ["all"], 1.0, "/nonexistent")
    finally:
        released.set()
    assert time.monotonic() - start < 2
    assert facts["fqdn"] == facts["nodename"]


def test_one_broken_family_costs_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    family = gather.BY_NAME["memory"]
    monkeypatch.setattr(family, "collect", lambda request: 1 // 0)
    system = System()
    facts = gather.collect(system, ["all"], 1.0, str(tmp_path))
    assert "facts of memory could not be read" in system.warnings[0] and "kernel" in facts
