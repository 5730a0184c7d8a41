"""LookupCall: what a lookup is asked, and what it may ask back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from opsplay.lazy_dataclass import dataclass
from opsplay.templating.failures import LookupFailed
from opsplay.templating.scope import Scope
from opsplay.templating.texts import to_text
from opsplay.truth import truth

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar

VAULT_HEADER = b"$ANSIBLE_VAULT;"


class LookupContext(Protocol):
    """What lookups may ask of the engine. Files are searched in the scope's `ansible_search_path`."""

    basedir: str

    def inventory_hostnames(self, pattern: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class LookupCall:
    name: str
    terms: list[Any]
    options: dict[str, Any]
    scope: Scope
    templar: Templar

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the call, or of the variable `ansible_lookup_NAME_OPTION`."""
        if name in self.options:
            return self.options[name]
        return default

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(truth(self.option(name, default)))

    def variable(self, name: str) -> Any:
        """The plain value of a variable; MISSING where there is none."""
        value = self.templar.resolve(name, self.scope)
        return self.templar.plain(value)

    @property
    def context(self) -> Any:
        return self.templar.lookup_context

    @property
    def basedir(self) -> str:
        return getattr(self.context, "basedir", None) or os.getcwd()

    def find_file(self, subdir: str, name: str) -> str | None:
        """The path of a file of the playbook or role, or None."""
        path = os.path.expanduser(to_text(name))
        if os.path.isabs(path):
            return path if os.path.exists(path) else None
        tried = [
            place
            for base in self.search_paths()
            for place in (os.path.join(base, subdir, path), os.path.join(base, path))
        ]
        return next((place for place in tried if os.path.exists(place)), None)

    def path_dwim_relative(self, path: str, dirname: str, source: str, is_role: bool = False) -> str:
        """What lookups written for Ansible ask its loader: a file of a folder of a role, else of the playbook."""
        name = os.path.expanduser(to_text(source))
        tried = [os.path.join(base, *more, name) for base in (path, self.basedir) for more in ((dirname,), ())]
        return name if os.path.isabs(name) else next((place for place in tried if os.path.exists(place)), tried[0])

    def path_dwim(self, given: str) -> str:
        return os.path.join(self.basedir, os.path.expanduser(to_text(given)))

    def get_basedir(self) -> str:
        return self.basedir

    def path_exists(self, path: str) -> bool:
        return os.path.exists(self.path_dwim(path))

    def is_file(self, path: str) -> bool:
        return os.path.isfile(self.path_dwim(path))

    def search_paths(self) -> list[str]:
        """The folders of the task's role, its file and the playbook."""
        found = self.scope.raw("ansible_search_path")
        return [*found, self.basedir] if isinstance(found, list) else [self.basedir]

    @property
    def subdir(self) -> str:
        """The folder of the action that asks: `templates` for template, `vars` for include_vars, `tasks` for includes."""
        return {"template": "templates", "include_vars": "vars", "include_tasks": "tasks", "import_tasks": "tasks"}.get(
            str(self.scope.raw("_task_verb")), "files"
        )

    def need_file(self, subdir: str, name: str) -> str:
        path = self.find_file(subdir, name)
        if path is None:
            raise LookupFailed(
                f"Unable to access the file {name!r}: File not found (No such file or directory in {subdir}/ of the role "
                "or the playbook)"
            )
        return path

    def read(self, path: str, encoding: str = "utf-8") -> str:
        """The text of a file, opened where vault encrypted it. What is read is data."""
        with open(path, "rb") as stream:
            data = stream.read()
        if data.startswith(VAULT_HEADER):
            from opsplay.templating.values import Vaulted

            return self.templar.open(Vaulted(data.decode("utf-8")))
        return data.decode(encoding, "surrogateescape")
