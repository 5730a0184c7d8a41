"""A real server for the whole folder, and a database a test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from action_call import Database
from private_server import Server

NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server(["shared_preload_libraries = 'pg_stat_statements'"])
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    name = f"test{next(NUMBERS)}"
    server.run(f"CREATE DATABASE {name}")
    yield Database(server, name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")
