"""Magic: the variables that Ansible itself sets and nothing overrides."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opsplay.templating.omit import OMIT
from opsplay.templating.scope import MISSING

if TYPE_CHECKING:
    from opsplay.model.play import Play, RoleRef, Task
    from opsplay.variables.store import PlayVars, VariableStore

# The Ansible whose documented language this is; content asks for it in `when: ansible_version is version(...)`.
ANSIBLE_VERSION = {"full": "2.19.14", "major": 2, "minor": 19, "revision": 14, "string": "2.19.14"}


class Magic(Mapping[str, Callable[[], object]]):
    """Names to functions that give their value, for one host at one task."""

    __slots__ = ("chain", "host", "play", "store", "task")

    def __init__(self, store: VariableStore, host: str, play: PlayVars | None, task: Task | None) -> None:
        self.store = store
        self.host = host
        self.play = play
        self.task = task
        self.chain: tuple[Mapping[str, object], ...] = ()  # of the scope that it is part of

    def __getitem__(self, name: str) -> Callable[[], object]:
        function = TABLE[name]
        return lambda: function(self)

    def __contains__(self, name: object) -> bool:
        return name in TABLE

    def __iter__(self) -> Iterator[str]:
        return iter(name for name, function in TABLE.items() if name[0] != "_" and function(self) is not MISSING)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def role(self) -> RoleRef | None:
        return self.task.role if self.task else None

    def of_play(self, read: Callable[[PlayVars], object]) -> object:
        return read(self.play) if self.play else MISSING

    def of_role(self, read: Callable[[RoleRef], object]) -> object:
        return read(self.role) if self.role else MISSING


def role_names(play: Play, dependencies: bool) -> list[str]:
    names: dict[str, None] = {}
    for ref in play.role_refs:
        if dependencies:
            for dependency in ref.dependencies:
                names.setdefault(dependency.full_name)
            names.setdefault(ref.full_name)
        else:
            names.setdefault(ref.full_name)
    if not dependencies:
        below = {dep.uid for ref in play.role_refs for dep in ref.dependencies}
        return [ref.full_name for ref in play.role_refs if ref.uid not in below]
    return list(names)


def dependent_names(play: Play) -> list[str]:
    below = {dep.uid: dep.full_name for ref in play.role_refs for dep in ref.dependencies}
    return list(dict.fromkeys(below.values()))


def search_path(magic: Magic) -> object:
    paths: list[str] = []
    if magic.role:
        paths += [magic.role.path, *(parent.path for parent in reversed(magic.role.parents))]
    if magic.task:
        from pathlib import Path

        paths.append(str(Path(magic.task.path).absolute().parent))
    if magic.play:
        paths.append(magic.play.playbook_dir)
    return list(dict.fromkeys(paths))


TABLE: dict[str, Callable[[Magic], Any]] = {
    "inventory_hostname": lambda m: m.host,
    "inventory_hostname_short": lambda m: m.host if m.host.replace(".", "").isdigit() else m.host.split(".")[0],
    "group_names": lambda m: m.store.group_names(m.host),
    "groups": lambda m: m.store.groups(),
    "hostvars": lambda m: m.store.hostvars(m.play),
    "inventory_file": lambda m: m.store.inventory_place(m.host)[0],
    "inventory_dir": lambda m: m.store.inventory_place(m.host)[1],
    "omit": lambda m: OMIT,
    "ansible_facts": lambda m: m.store.memory(m.host).facts,
    "vars": lambda m: m.store.whole(m),
    "playbook_dir": lambda m: m.of_play(lambda play: play.playbook_dir),
    "play_hosts": lambda m: m.of_play(lambda play: play.batch_left()),
    "ansible_play_batch": lambda m: m.of_play(lambda play: play.batch_left()),
    "ansible_play_hosts": lambda m: m.of_play(lambda play: play.hosts_left()),
    "ansible_play_hosts_all": lambda m: m.of_play(lambda play: list(play.hosts_all)),
    "ansible_play_name": lambda m: m.of_play(lambda play: play.name),
    "role_name": lambda m: m.of_role(lambda role: role.name),
    "ansible_role_name": lambda m: m.of_role(lambda role: role.full_name),
    "role_path": lambda m: m.of_role(lambda role: role.path),
    "role_uuid": lambda m: m.of_role(lambda role: str(role.uid)),
    "ansible_collection_name": lambda m: m.of_role(lambda role: role.collection or None),
    "ansible_parent_role_names": lambda m: m.of_role(
        lambda role: [parent.full_name for parent in reversed(role.parents)] or MISSING
    ),
    "ansible_parent_role_paths": lambda m: m.of_role(
        lambda role: [parent.path for parent in reversed(role.parents)] or MISSING
    ),
    "ansible_play_role_names": lambda m: m.of_play(lambda play: role_names(play.play, False)),
    "ansible_dependent_role_names": lambda m: m.of_play(lambda play: dependent_names(play.play)),
    "ansible_role_names": lambda m: m.of_play(lambda play: role_names(play.play, True)),
    "role_names": lambda m: m.of_play(lambda play: role_names(play.play, False)),
    "ansible_check_mode": lambda m: m.store.options.check,
    "ansible_diff_mode": lambda m: m.store.options.diff,
    "ansible_forks": lambda m: m.store.settings.forks or 5,
    "ansible_verbosity": lambda m: m.store.settings.verbosity,
    "ansible_run_tags": lambda m: list(m.store.options.tags),
    "ansible_skip_tags": lambda m: list(m.store.options.skip_tags),
    "ansible_limit": lambda m: m.store.options.limit or MISSING,
    "ansible_inventory_sources": lambda m: list(m.store.options.inventory),
    "ansible_config_file": lambda m: m.store.settings.config_file,
    "ansible_version": lambda m: ANSIBLE_VERSION,
    "ansible_playbook_python": lambda m: sys.executable,
    "ansible_search_path": search_path,
    "_task_verb": lambda m: m.task.verb if m.task else MISSING,
    "environment": lambda m: list(m.task.keywords.get("environment", ())) if m.task else MISSING,  # type: ignore[call-overload]
}
