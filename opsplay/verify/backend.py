"""The testinfra backend `opsplay://group`: testinfra's tests over our connections."""

from __future__ import annotations

from typing import Any

from testinfra.backend import base

from opsplay.verify.connections import OPEN, HostConnections


class SudoCommand(str):
    """A command that a test wants run as `user`; the innermost `host.sudo()` wins."""

    user: str


class OpsplayBackend(base.BaseBackend):  # type: ignore[misc]
    """`hostname` is an inventory name. `sudo` means becoming by the host's own become rules: sudo, su or doas."""

    NAME = "opsplay"

    def __init__(self, host: str, ansible_inventory: str | None = None, **kwargs: Any) -> None:
        super().__init__(host, sudo=bool(kwargs.get("sudo")), sudo_user=kwargs.get("sudo_user"))
        self._inventory = ansible_inventory

    @property
    def connections(self) -> HostConnections:
        return OPEN.of(self._inventory)

    @classmethod
    def get_hosts(cls, host: str, **kwargs: Any) -> list[str]:
        """A group or any pattern; a slash or comma in one is written %2F, %2C."""
        from urllib.parse import unquote

        return OPEN.of(kwargs.get("ansible_inventory")).hosts(unquote(host or "all"))

    def get_sudo_command(self, command: str, sudo_user: str | None) -> str:
        if isinstance(command, SudoCommand):
            return command
        marked = SudoCommand(command)
        marked.user = sudo_user or "root"
        return marked

    def run(self, command: str, *args: str, **kwargs: Any) -> base.CommandResult:
        wanted = self.get_command(command, *args)
        user = wanted.user if isinstance(wanted, SudoCommand) else None
        done = self.connections.command(self.hostname, wanted, user)
        return self.result(done.rc, wanted.encode("utf-8", "surrogateescape"), done.stdout, done.stderr)

    def get_encoding(self) -> str:
        """Output arrives decoded: no need to ask the host."""
        return "utf-8"
