"""Owns the pytest fixtures of a lab: one per test run, shared by all workers, taken down by the last of them.

In a conftest.py: `from opsplay.lab.pytest_fixtures import lab, lab_host_reset`. Set OPSPLAY_TEST_LAB to the folder of
a lab that is up to use that one, and OPSPLAY_TEST_LAB_HOSTS to have another number of hosts than the standard four.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.lab import Lab, down, status, up

HOW = "Tests that need a lab: run them as root (sudo make test), or name one that is up: OPSPLAY_TEST_LAB=<folder>"


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab of this test run; it fails, and says how to get one, where none can be had."""
    given = os.environ.get("OPSPLAY_TEST_LAB")
    if given:
        yield have(lambda: status(given))
        return
    # Workers of pytest-xdist have folders next to each other below one that belongs to the run.
    parallel = hasattr(request.config, "workerinput")
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if parallel else base) / "lab"
    with shared_lab(shared) as running:
        yield running


@pytest.fixture
def lab_host_reset(lab: Lab) -> Iterator[Callable[[str], None]]:
    """`lab_host_reset("web1")`: all faults of that host end when the test does, however it ends."""
    touched: list[str] = []
    yield touched.append
    for name in touched:
        lab.reset(name)


@contextmanager
def shared_lab(folder: Path) -> Iterator[Lab]:
    """Started by whoever comes first; a file of users says who is the last."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder.parent / "lab-users"
    with exclusive(folder.parent):
        running = have(lambda: up(dir=folder, hosts=asked_hosts()))
        count(users, +1)
    try:
        yield running
    finally:
        with exclusive(folder.parent):
            if count(users, -1) == 0:
                down(running)
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    with (folder / "lab.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def count(users: Path, change: int) -> int:
    now = int(users.read_text()) + change if users.exists() else change
    users.write_text(str(now))
    return now


def asked_hosts() -> int | None:
    number = os.environ.get("OPSPLAY_TEST_LAB_HOSTS")
    return int(number) if number else None


def have(start: Callable[[], Lab]) -> Lab:
    try:
        return start()
    except OpsError as error:
        pytest.fail(f"{error.render()}\n{HOW}", pytrace=False)
