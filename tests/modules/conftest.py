"""What module cases run on: a kept local session, a lab host, a web server, free ports."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsplay.lab import Lab
from opsplay.lab.pytest_fixtures import lab  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="session")
def local_bench(runner: asyncio.Runner) -> Iterator[object]:
    from workbench import Bench

    bench = Bench(runner)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def lab_bench(runner: asyncio.Runner, lab: Lab) -> Iterator[object]:  # noqa: F811
    """Root on a real Debian host of the lab, over SSH."""
    from workbench import Bench

    from opsplay.transport.protocol import Address, Become
    from opsplay.transport.ssh import SshTransport

    host = lab.hosts[0]
    address = Address(
        host.name, hostname=host.address, port=host.port, user=host.user, private_key_file=str(host.key),
        known_hosts_file=str(lab.known_hosts), python="/usr/bin/python3",
    )  # fmt: skip
    bench = Bench(runner, SshTransport(address), Become())
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def web() -> Iterator[str]:
    from web import serve

    with serve() as address:
        yield address


@pytest.fixture
def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
