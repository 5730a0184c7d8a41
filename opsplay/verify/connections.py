"""Synchronous use of our connections: testinfra asks one command after the other, the loop lives in a thread."""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from opsplay.errors import Fault, OpsError
from opsplay.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from opsplay.engine.run import Run
    from opsplay.engine.target import Target

T = TypeVar("T")
LONGEST = 300.0  # seconds for one command: a hanging one must not hang a CI job


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What a command gave; `rc` 124 where it took too long."""

    rc: int
    stdout: str
    stderr: str


class HostConnections:
    """One connection a host, by the same inventory variables, keys and become rules as a run. Close it at the end."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opsplay-connections", daemon=True)
        self._thread.start()
        self._targets: dict[tuple[str, str | None], Target] = {}

    def hosts(self, pattern: str) -> list[str]:
        """Inventory names by Ansible's patterns, within --limit. Raises OpsError where nothing matches."""
        names: list[str] = self.run.inventory.select(pattern or "all", self.run.options.limit)
        if not names:
            raise OpsError(
                "no-hosts-to-verify",
                f'no host matches "{pattern}"',
                remedy="See what there is with: opsplay inventory --graph",
                fault=Fault.USAGE,
            )
        return names

    def command(self, host: str, command: str, become_user: str | None = None) -> CommandOutcome:
        """Run a command by /bin/sh, as `become_user`, or as whom the inventory says. Raises Unreachable, BecomeFailed."""
        return self._wait(self._command(self._target(host, become_user), command))

    async def _command(self, target: Target, command: str) -> CommandOutcome:
        transport = await self.run.connections.transport(target.address)
        result = await transport.exec(f"/bin/sh -c {shlex.quote(command)}", target.become, b"", LONGEST)
        return CommandOutcome(int(result["rc"]), str(result["stdout"]), str(result["stderr"]))

    def _target(self, host: str, become_user: str | None) -> Target:
        key = (host, become_user)
        if key not in self._targets:
            self._targets[key] = self._made(host, become_user)
        return self._targets[key]

    def _made(self, host: str, become_user: str | None) -> Target:
        """Where the host is and whom to become there; a user that the test names wins over ansible_become_user."""
        words = {} if become_user is None else {"become": True, "become_user": become_user}
        target = self.run.make_target(host, self.run.store.scope(host), words)
        if become_user is not None and target.become is not None:
            target.become = replace(target.become, user=become_user)
        return target

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Close every connection. Safe to call twice."""
        if self._thread.is_alive():
            self._wait(self.run.connections.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()


class OpenConnections:
    """The connections that this pytest process uses: testinfra makes its backends by class, with nothing of ours at hand."""

    def __init__(self) -> None:
        self.given: HostConnections | None = None
        self._by_inventory: dict[str, HostConnections] = {}

    def of(self, inventory: str | None) -> HostConnections:
        """Those that `opsplay verify` opened, else made from --ansible-inventory and the settings (plain pytest, CI)."""
        if self.given is not None:
            return self.given
        key = inventory or ""
        if key not in self._by_inventory:
            self._by_inventory[key] = connections_from(key)
        return self._by_inventory[key]

    def close(self) -> None:
        """Close what was made here; who gave connections closes them."""
        for connections in self._by_inventory.values():
            connections.close()
        self._by_inventory.clear()


def connections_from(inventory: str) -> HostConnections:
    """`inventory`: one -i value; empty for the settings' and then the lab's, as for `opsplay run`."""
    from opsplay.cli.launching import run_for, settings_for

    flags = {"inventory": (inventory,) if inventory else ()}
    run, _ = run_for(flags, settings_for(flags))
    return HostConnections(run)


OPEN = OpenConnections()
