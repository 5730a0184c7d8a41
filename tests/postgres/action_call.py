"""Actions run as the engine runs them, against a database of one test."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from private_server import Server

from opsplay.actions.arguments import typed_arguments
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address
from opsplay.transport.relay import open_door


class HereContext:
    """The controller as the managed host: a real transport, real doors, no playbook."""

    host = "localhost"

    def __init__(self, check: bool = False) -> None:
        self.check = check
        self.diff = False
        self.transport = LocalTransport(Address("localhost", connection="local"))

    async def stream(self, target: Any, become: bool = True) -> Any:
        return open_door(self.transport, target)

    async def module(self, name: str, args: dict[str, Any], **_: Any) -> dict[str, Any]:
        from opsplay.remote.perform import perform
        from opsplay.remote.system import System

        module = importlib.import_module(f"opsplay.remote.modules.{name}")
        return perform(module, System(), typed_arguments(name, module.SPEC, args))


async def run_action(name: str, /, check: bool = False, **arguments: Any) -> dict[str, Any]:
    action = importlib.import_module(f"opsplay.actions.{name}")
    return dict(await action.act(HereContext(check), typed_arguments(name, action.SPEC, arguments)))


class Database:
    """One test's database. `act` runs an action against it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.login = {"login_unix_socket": str(server.folder), "login_db": name}

    def act(self, action: str, /, check: bool = False, **arguments: Any) -> dict[str, Any]:
        return asyncio.run(run_action(action, check, **(self.login | arguments)))

    def run(self, *statements: str, user: str = "postgres") -> Any:
        return self.server.run(*statements, dbname=self.name, user=user)

    def value(self, statement: str) -> Any:
        return self.run(statement)[0][0]

    def connect(self, user: str = "postgres") -> Any:
        return self.server.connect(self.name, user)

    def invalid(self) -> list[str]:
        rows = self.run("SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid ORDER BY 1")
        return [row[0] for row in rows]
