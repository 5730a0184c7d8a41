"""Context: what an action may ask of the run: its host, its variables, modules on the host, files, and what to tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from opsplay.settings import Settings
from opsplay.templating.templar import Templar


class Context(Protocol):
    """One task on one host (for a loop: one item of it)."""

    host: str
    check: bool
    diff: bool
    settings: Settings
    templar: Templar
    role_path: str | None
    playbook_dir: str
    task_name: str
    is_read: bool  # whether anybody will look at the whole result: register, -v, output as Ansible's

    @property
    def scope(self) -> Any:
        """The task's variables: an opsplay.variables.scope.Scope."""
        ...

    @property
    def inventory(self) -> Any:
        """The live inventory: select(), hosts, groups; add_host() and group_by() change it for the rest of the run."""
        ...

    def render(self, value: object) -> Any:
        """Templates in the value resolved. Raises Undefined, TemplateFailed."""
        ...

    def condition(self, expression: object) -> bool: ...

    def find_file(self, subdir: str, name: str) -> Path:
        """The file by Ansible's search order: role, task file, playbook; each with and without `subdir`. Raises OpsError."""
        ...

    async def module(self, name: str, args: Mapping[str, Any], body: bytes | None = None, check: bool | None = None) -> dict[str, Any]:
        """Run a module on the task's host, as its become user; args are typed by the module's Spec here."""
        ...

    async def another(self, name: str, args: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Run any module by its name, own or of others, with the module_defaults that the play has for it.

        With `seconds` it runs beside others on the host, and is given up after that long.
        """
        ...

    async def raw_command(self, command: str, timeout: float | None = None) -> dict[str, Any]:
        """Run a command by the host's shell without Python there: rc, stdout, stderr."""
        ...

    async def stream(self, target: tuple[str, int] | str, become: bool = True) -> Any:
        """`transport.forward`: an async context manager giving (host, port) or a socket's folder, reaching `target` from the host."""
        ...

    def delegated(self, host: str) -> Context:
        """The same task's context on another host (localhost for work on the controller by modules)."""
        ...

    async def reconnect(self) -> None:
        """Drop the host's connection; the next module connects again (after a reboot)."""
        ...

    def fact(self, name: str, default: Any = None) -> Any:
        """A gathered fact, by its name without ansible_."""
        ...

    def set_facts(self, facts: Mapping[str, Any], cacheable: bool = False) -> None: ...

    def set_variables(self, variables: Mapping[str, object], source: str = "") -> None:
        """include_vars: compiled variables at that precedence, for the task's host."""
        ...

    def set_stats(self, data: Mapping[str, Any], per_host: bool, aggregate: bool) -> None: ...

    def add_host(self, name: str, groups: list[str], variables: Mapping[str, Any]) -> bool:
        """Whether it changed anything."""
        ...

    def group_by(self, group: str, parents: list[str]) -> bool: ...

    def notice(self, level: str, text: str) -> None:
        """`level`: info, warning or deprecated."""
        ...

    def say(self, text: str) -> None:
        """Shown even in quiet mode: what `debug` prints."""
        ...

    async def ask(
        self, prompt: str, echo: bool = True, seconds: float | None = None, pausing: bool = False
    ) -> str | None:
        """Ask the operator; None when time is up or nobody is there. `pausing`: Ctrl+C asks whether to go on or to abort."""
        ...
