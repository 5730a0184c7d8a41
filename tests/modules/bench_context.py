"""BenchContext: what an action gets from the engine, on one session, without a play around it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsplay.actions.arguments import typed_arguments
from opsplay.errors import OpsError
from opsplay.settings import Settings
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.transport.protocol import Become, Session, Step, Transport


class BenchContext:
    """Implements the part of actions.context.Context that file actions use."""

    host = "bench"
    role_path = None
    task_name = "case"
    is_read = True

    def __init__(
        self, transport: Transport, session: Session, become: Become | None, check: bool, diff: bool, source: Path, variables: Mapping[str, Any],
        environment: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.transport = transport
        self.session = session
        self.become = become
        self.check = check
        self.diff = diff
        self.playbook_dir = str(source)
        self.settings = Settings()
        self.templar = Templar(self.settings)
        self.scope = DictScope(dict(variables))
        self.environment = environment or {}
        self.steps = 0

    def render(self, value: object) -> Any:
        return self.templar.render(value, self.scope)

    def condition(self, expression: object) -> bool:
        return self.templar.condition(expression, self.scope)

    def find_file(self, subdir: str, name: str) -> Path:
        for candidate in (Path(self.playbook_dir) / subdir / name, Path(self.playbook_dir) / name):
            if candidate.exists():
                return candidate
        raise OpsError("file-not-found", f"Could not find or access '{name}'")

    async def module(self, name: str, args: Mapping[str, Any], body: bytes | None = None, check: bool | None = None) -> dict[str, Any]:
        self.steps += 1
        spec = importlib.import_module(f"opsplay.remote.modules.{name}").SPEC
        typed = typed_arguments(name.lstrip("_"), spec, dict(args))
        step = Step(name, dict(typed), self.check if check is None else check, self.diff, self.environment, body=body)
        reply = await self.session.submit([step]).replies[0]
        return reply.result if reply.body is None else {**reply.result, "_body": reply.body}

    async def raw_command(self, command: str, timeout: float | None = None) -> dict[str, Any]:
        return await self.transport.exec(command, self.become, b"", timeout)

    def notice(self, level: str, text: str) -> None:
        pass

    def say(self, text: str) -> None:
        pass


