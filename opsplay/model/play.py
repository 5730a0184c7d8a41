"""Play, Block, Task, Role, Handler: what a playbook says, as frozen values with their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from opsplay.errors import Where
from opsplay.lazy_dataclass import dataclass
from opsplay.model.keywords import Keywords
from opsplay.templating.layer import VarLayer
from opsplay.templating.template import Template


@dataclass(frozen=True, slots=True)
class Loop:
    """`kind` is "loop" or the lookup of a with_*; `control` are the loop_control keys, compiled."""

    kind: str
    value: object
    control: Mapping[str, object]
    where: Where


@dataclass(frozen=True, slots=True)
class RoleRef:
    """A role as used in one place: its files read once, its parameters its own."""

    name: str
    path: str
    defaults: VarLayer
    vars: VarLayer
    params: VarLayer
    parents: tuple[RoleRef, ...] = ()
    dependencies: tuple[RoleRef, ...] = ()
    collection: str = ""
    public: bool | None = None  # whether others see its variables; None: as private_role_vars says
    static: bool = True
    uid: int = 0  # the same role used twice has two uids

    @property
    def full_name(self) -> str:
        return f"{self.collection}.{self.name}" if self.collection else self.name


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `keywords` are those in force, parents merged in; `layers` its block and task vars, lowest first.

    `own` are the keywords written on the task itself; `inherited` what its parents gave (an include's children start
    from it). `verb` is the canonical name of the action; `args` are compiled and not yet checked.
    """

    uid: str
    name: str | Template | None
    verb: str
    written: str  # the action as the author wrote it
    args: Mapping[str, object]
    where: Where
    keywords: Keywords
    own: Keywords
    inherited: Keywords
    layers: tuple[VarLayer, ...] = ()
    inherited_layers: tuple[VarLayer, ...] = ()
    role: RoleRef | None = None
    loop: Loop | None = None
    register: str | None = None
    is_handler: bool = False
    listen: tuple[object, ...] = ()
    args_where: Mapping[str, Where] = field(default_factory=dict)
    implicit: bool = False

    @property
    def path(self) -> str:
        return self.where.path


@dataclass(frozen=True, slots=True)
class Block:
    uid: str
    name: str | Template | None
    block: tuple[Entry, ...]
    rescue: tuple[Entry, ...]
    always: tuple[Entry, ...]
    keywords: Keywords
    where: Where
    role: RoleRef | None = None
    role_start: bool = False  # the block is the whole of a role: `end_role` stops at it
    marks: object = None  # which role this is a run of, parameters and keywords included
    once: bool = False  # does not run where a run of the same role has ended (no allow_duplicates)


Entry = Task | Block


@dataclass(frozen=True, slots=True)
class Play:
    name: str | Template | None
    hosts: object
    keywords: Keywords
    layers: tuple[VarLayer, ...]  # play vars and vars_files that need no host, lowest first
    vars_files: tuple[object, ...]
    vars_prompt: tuple[Mapping[str, object], ...]
    pre_tasks: tuple[Entry, ...]
    roles: tuple[Entry, ...]
    tasks: tuple[Entry, ...]
    post_tasks: tuple[Entry, ...]
    handlers: tuple[Entry, ...]
    role_refs: tuple[RoleRef, ...]
    where: Where
    playbook: str
    wheres: Mapping[str, Where] = field(default_factory=dict)  # of the keywords' values; "vars_files[0]" of an entry

    @property
    def title(self) -> str:
        name = self.name
        if isinstance(name, Template):
            return name.source
        return name or pattern_text(self.hosts)


@dataclass(frozen=True, slots=True)
class Playbook:
    path: str
    plays: tuple[Play, ...]


def pattern_text(hosts: object) -> str:
    if isinstance(hosts, (list, tuple)):
        return ",".join(str(getattr(item, "source", item)) for item in hosts)
    return str(getattr(hosts, "source", hosts))


def walk_tasks(entries: tuple[Entry, ...]) -> list[Task]:
    """Every task in the entries, blocks opened, in the order of the text."""
    tasks: list[Task] = []
    for entry in entries:
        if isinstance(entry, Task):
            tasks.append(entry)
        else:
            tasks += walk_tasks(entry.block) + walk_tasks(entry.rescue) + walk_tasks(entry.always)
    return tasks
