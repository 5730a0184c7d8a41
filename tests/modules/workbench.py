"""Bench: one kept session on this machine or on a lab host, and the folders that a case works in."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import shlex
import tempfile
from pathlib import Path
from typing import Any

import world
from bench_context import BenchContext

from opsplay.actions.arguments import typed_arguments
from opsplay.errors import OpsError
from opsplay.model.catalog import own_actions
from opsplay.remote.spec import ModuleFailure
from opsplay.templating.values import compile_plain
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address, Become, Transport


class Bench:
    """`transport` leads to where modules run. World functions run there too: in this process, or over the transport."""

    def __init__(
        self, runner: asyncio.Runner, transport: Transport | None = None, become: Become | None = None
    ) -> None:
        self.runner = runner
        self.become = become
        self.here = transport is None
        self.transport = transport or LocalTransport(
            Address("localhost", "local", python=os.environ.get("OPSPLAY_TEST_PYTHON", "auto"))
        )
        self.session = runner.run(self._open())

    async def _open(self) -> Any:
        if not self.here:
            await self.transport.connect()
        return await self.transport.session(self.become)

    def close(self) -> None:
        self.runner.run(self.transport.close())

    def run(self, name: str, args: dict[str, Any], check: bool, source: Path, case: Any) -> dict[str, Any]:
        """The result, as a play would get it: a wrong argument is a failure that says so."""
        environment = {str(key): str(value) for key, value in case.get("environment", {}).items()}
        variables = {key: compile_plain(value) for key, value in case.get("vars", {}).items()}
        context = BenchContext(self.transport, self.session, self.become, check, True, source, variables, environment)
        try:
            result = self.runner.run(self._run(name, args, context))
        except OpsError as error:
            result = {"failed": True, "changed": False, "msg": error.message}
        except ModuleFailure as failed:
            result = {"failed": True, "changed": False, "msg": failed.msg, **failed.result}
        return json.loads(json.dumps({key: value for key, value in result.items() if key != "_body"}))

    async def _run(self, name: str, args: dict[str, Any], context: BenchContext) -> dict[str, Any]:
        folder = "opsplay.actions" if name in own_actions() else "opsplay.remote.modules"
        code = importlib.import_module(f"{folder}.{name}")
        given = dict(args)
        if code.SPEC.free_form and "_raw_params" in given:
            given[code.SPEC.free_form] = given.pop("_raw_params")
        if folder == "opsplay.actions":
            return dict(await code.act(context, typed_arguments(name, code.SPEC, given)))
        if context.check and code.SPEC.check == "none":
            return {"skipped": True, "changed": False}
        return await context.module(name, given)

    def folder(self) -> str:
        if self.here:
            return tempfile.mkdtemp(prefix="case-")
        return str(self._remote("mktemp -d /tmp/case-XXXXXX")["stdout"]).strip()

    def world(self, verb: str, *arguments: Any) -> Any:
        if self.here:
            return json.loads(json.dumps(world.VERBS[verb](*arguments)))
        source = shlex.quote(Path(world.__file__).read_text(encoding="utf-8"))
        done = self._remote(f"python3 -c {source}", json.dumps([verb, *arguments]).encode())
        assert done["rc"] == 0, done["stderr"]
        return json.loads(done["stdout"])

    def _remote(self, command: str, data: bytes = b"") -> dict[str, Any]:
        return self.runner.run(self.transport.exec(command, self.become, data, 120))


def is_root() -> bool:
    return os.geteuid() == 0
