"""Connecting: how a task reaches its host, as the variables that Ansible fills in where nobody set them (ansible_connection)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsplay.templating.scope import MISSING

if TYPE_CHECKING:
    from opsplay.model.play import Task
    from opsplay.variables.scope import Scope
    from opsplay.variables.store import VariableStore

ALIASES = (
    ("ansible_host", "ansible_ssh_host"),
    ("ansible_port", "ansible_ssh_port"),
    ("ansible_user", "ansible_ssh_user"),
    ("ansible_timeout", "ansible_ssh_timeout"),
    ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    ("ansible_pipelining", "ansible_ssh_pipelining"),
    ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
    ("ansible_become_password", "ansible_become_pass"),
    ("ansible_connection",),
    ("ansible_shell_executable",),
)
NAMES = {name: names for names in ALIASES for name in names}


class Connecting:
    """Weaker than every variable that somebody set. Never holds the scope that asks, for that one holds this.

    `there` is the scope of the host that the task is delegated to: then that is the host which it reaches.
    """

    __slots__ = ("host", "store", "task", "there")

    def __init__(self, store: VariableStore, host: str, task: Task, there: Scope | None = None) -> None:
        self.store = store
        self.host = host
        self.task = task
        self.there = there

    def __contains__(self, name: object) -> bool:
        return name in NAMES

    def value(self, name: str, scope: Scope) -> object:
        """What stands under another spelling of the name, else what the task, the command line or the settings say."""
        names = NAMES[name]
        for spelling in names:
            found = scope.given(spelling)
            if found is not MISSING:
                return found
        if self.there is not None and self.there.raw(name) is not MISSING:
            return self.store.templar.resolve_plain(name, self.there)
        return next((value for value in self.candidates(names[0]) if value is not None), MISSING)

    def candidates(self, name: str) -> tuple[object, ...]:
        options, settings, words = self.store.options, self.store.settings, self.task.keywords
        match name:
            case "ansible_connection":
                return words.get("connection"), options.connection, settings.transport
            case "ansible_user":
                return options.remote_user, words.get("remote_user"), settings.remote_user
            case "ansible_port":
                return words.get("port"), settings.remote_port
            case "ansible_password":
                return (options.connection_password,)
            case "ansible_become_password":
                return (options.become_password,)
            case "ansible_timeout":
                return options.timeout, settings.timeout
            case "ansible_private_key_file":
                return options.private_key_file, settings.private_key_file
            case "ansible_shell_executable":
                return (settings.executable,)
            case "ansible_pipelining":
                return (False,)
            case _:
                return (self.host,)
