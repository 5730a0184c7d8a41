"""Direct: one module on this machine, without inventory or engine; for tests of modules and for a quick try.

`python -m opsplay.transport.direct MODULE '{"arg": 1}' [--check] [--diff] [--python PATH]` prints the result.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address, Reply, Step


def run_module(
    name: str,
    args: dict[str, Any] | None = None,
    check: bool = False,
    diff: bool = False,
    python: str | None = None,
    body: bytes | None = None,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The result of the module, run in a fresh interpreter over the local transport. Defaults come from its SPEC."""
    reply = run_steps([Step(name, typed(name, args or {}), check, diff, environment or {}, body=body)], python)[0]
    return reply.result if reply.body is None else {**reply.result, "_body": reply.body}


def run_steps(steps: list[Step], python: str | None = None) -> list[Reply]:
    """The replies to the steps, sent in one frame."""
    return asyncio.run(_run_steps(steps, python))


async def _run_steps(steps: list[Step], python: str | None) -> list[Reply]:
    transport = LocalTransport(Address("localhost", "local", python=python or "auto"))
    try:
        session = await transport.session()
        return [await reply for reply in session.submit(steps).replies]
    finally:
        await transport.close()


def typed(name: str, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the defaults of the module's SPEC and without its aliases."""
    spec = importlib.import_module(f"opsplay.remote.modules.{name}").SPEC
    aliases = {alias: argument for argument, kind in spec.args.items() for alias in kind.aliases}
    given = {aliases.get(key, key): value for key, value in args.items()}
    return {argument: kind.default for argument, kind in spec.args.items()} | given


def _main() -> None:
    import argparse
    import json

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("args", nargs="?", default="{}", type=json.loads)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--diff", action="store_true")
    parser.add_argument("--python")
    chosen = parser.parse_args()
    result = run_module(chosen.module, chosen.args, chosen.check, chosen.diff, chosen.python)
    print(json.dumps(result, indent=2, default=repr))


if __name__ == "__main__":
    _main()
