"""VariableStore: every variable of a run, and the scopes made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.inventory.inventory import LOCALHOST
from opsplay.lazy_dataclass import dataclass
from opsplay.model.play import Play, RoleRef, Task
from opsplay.settings import Settings
from opsplay.templating.layer import VarLayer
from opsplay.templating.scope import ScopeView
from opsplay.variables.connecting import Connecting
from opsplay.variables.fact_cache import NoFactCache
from opsplay.variables.magic import Magic
from opsplay.variables.memory import Memory
from opsplay.variables.scope import Chain, HostVars, MergingScope, Scope

if TYPE_CHECKING:
    from opsplay.inventory.inventory import Inventory
    from opsplay.inventory.live import LiveInventory
    from opsplay.templating.templar import Templar


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of a run."""

    check: bool = False
    diff: bool = False
    tags: tuple[str, ...] = ("all",)
    skip_tags: tuple[str, ...] = ()
    limit: str | None = None
    inventory: tuple[str, ...] = ()
    start_at: str | None = None
    step: bool = False
    force_handlers: bool = False
    run_pending_handlers: bool = False
    max_fail: str | None = None
    flush_cache: bool = False
    become: bool | None = None
    become_user: str | None = None
    become_method: str | None = None
    connection: str | None = None
    remote_user: str | None = None
    timeout: int | None = None
    private_key_file: str | None = None
    ssh_common_args: str | None = None
    ssh_extra_args: str | None = None
    connection_password: str | None = field(default=None, repr=False)
    become_password: str | None = field(default=None, repr=False)


@dataclass
class PlayVars:
    """What a play adds to the variables of its hosts."""

    play: Play
    name: str
    playbook_dir: str
    hosts_all: tuple[str, ...]
    layers: tuple[VarLayer, ...]  # play vars, vars_prompt; lowest first
    hosts_left: Callable[[], list[str]]
    batch_left: Callable[[], list[str]]
    file_layers: dict[str, tuple[VarLayer, ...]] = field(default_factory=dict)  # vars_files, by host


class VariableStore:
    """`extra` are the -e variables. Scopes are cheap: they only hold references."""

    def __init__(self, live: LiveInventory, settings: Settings, options: Options, extra: VarLayer) -> None:
        self.live = live
        self.settings: Settings = settings
        self.options: Options = options
        self.extra = extra
        self.templar: Templar = None  # type: ignore[assignment] # set by the run: a templar looks things up in the store
        self.fact_cache = NoFactCache()
        self._memories: dict[str, Memory] = {}
        self._inventory_chains: dict[tuple[str, str | None], Chain] = {}
        self._role_chains: dict[tuple[int, int, tuple[int, ...]], tuple[Chain, Chain]] = {}
        self._groups: Mapping[str, list[str]] | None = None
        self.fixed_layers: set[int] = {id(extra.values)}  # mappings that are the same for every task of a host

    @property
    def inventory(self) -> Inventory:
        return self.live.current

    def memory(self, host: str) -> Memory:
        memory = self._memories.get(host)
        if memory is None:
            memory = self._memories[host] = Memory(self.fact_cache.load(host))
        return memory

    def keep_facts(self, hosts: Iterable[str] | None = None) -> None:
        """Give the cache what these hosts, or all, have told since it was last asked to keep it."""
        for host in list(self._memories) if hosts is None else hosts:
            memory = self.memory(host)
            if memory.changed:
                self.fact_cache.store(host, memory.top_facts, memory.gathered)
                memory.changed = False

    def clear_facts(self, host: str) -> None:
        self.memory(host).clear_facts()
        self.fact_cache.forget(host)

    def inventory_changed(self) -> None:
        self._inventory_chains.clear()
        self._groups = None

    def groups(self) -> Mapping[str, list[str]]:
        if self._groups is None:
            self._groups = self.inventory.groups_dict()
        return self._groups

    def group_names(self, host: str) -> list[str]:
        return self.inventory.group_names(host) if host in self.inventory.hosts else []

    def inventory_place(self, host: str) -> tuple[str | None, str | None]:
        found = self.inventory.hosts.get(host)
        source = Path(found.where.path) if found and found.where else None
        if source is None or not source.exists():
            return None if source is None else str(source), None
        return str(source.absolute()), str(source.absolute().parent)

    def inventory_chain(self, host: str, playbook_dir: str | None) -> Chain:
        """The host's inventory, group_vars and host_vars layers, strongest first."""
        key = (host, playbook_dir)
        chain = self._inventory_chains.get(key)
        if chain is None:
            inventory = self.inventory
            layers = (
                inventory.host_layers(host, playbook_dir)
                if self.known(host)
                else inventory.own_group_layers("all", playbook_dir)
            )
            chain = self._inventory_chains[key] = tuple(layer.values for layer in reversed(layers) if layer.values)
            self.fixed_layers.update(id(mapping) for mapping in chain)
            self.fixed_layers.add(id(self.memory(host).top_facts))
        return chain

    def scope(
        self,
        host: str,
        play: PlayVars | None = None,
        task: Task | None = None,
        temporary: Mapping[str, object] | None = None,
        params: tuple[VarLayer, ...] = (),
        public: tuple[RoleRef, ...] = (),
        ahead: bool = False,
        beside: str | None = None,
    ) -> Scope:
        """The scope of a task on a host; `params` are include parameters, `public` roles included with public: true.

        `beside`: where no play is given, the folder of the playbook whose group_vars and host_vars count.
        """
        memory = self.memory(host)
        chain: list[Mapping[str, object]] = [self.extra.values]
        chain += [layer.values for layer in reversed(params)]
        role = task.role if task else None
        if role is not None:
            chain += [ref.params.values for ref in (role, *reversed(role.parents)) if ref.params]
        chain += (memory.set_facts, memory.included)
        if task is not None:
            chain += [layer.values for layer in reversed(task.layers)]
        defaults: Chain = ()
        if play is not None:
            role_vars, defaults = self._roles(play.play, role, public)
            chain += role_vars
            chain += [layer.values for layer in reversed(play.file_layers.get(host, ()))]
            chain += [layer.values for layer in reversed(play.layers)]
        chain += (memory.top_facts,)
        chain += self.inventory_chain(host, play.playbook_dir if play else beside)
        chain += defaults
        kind = MergingScope if self.settings.hash_behaviour == "merge" else Scope
        magic = Magic(self, host, play, task)
        magic.chain = tuple(chain)
        scope = kind(magic.chain, magic, temporary, memory.pending, ahead)
        if task is not None:
            scope.last = Connecting(self, host, task)
        return scope

    def _roles(self, play: Play, role: RoleRef | None, public: tuple[RoleRef, ...]) -> tuple[Chain, Chain]:
        """(role vars, role defaults), strongest first: the task's role, its dependencies, its parents, the play's roles."""
        key = (id(play), role.uid if role else 0, tuple(ref.uid for ref in public))
        if key in self._role_chains:
            return self._role_chains[key]
        seen: dict[int, RoleRef] = {}
        if role is not None:
            for ref in (role, *reversed(all_dependencies(role)), *reversed(role.parents)):
                seen.setdefault(ref.uid, ref)
        shown = not self.settings.private_role_vars
        for ref in (*reversed(public), *reversed(play.role_refs)):
            if shown if ref.public is None else ref.public:
                seen.setdefault(ref.uid, ref)
        chains = (
            tuple(ref.vars.values for ref in seen.values() if ref.vars),
            tuple(ref.defaults.values for ref in seen.values() if ref.defaults),
        )
        self._role_chains[key] = chains
        return chains

    def hostvars(self, play: PlayVars | None) -> HostVars:
        def scope_of(host: str) -> Scope | None:
            beside = play.playbook_dir if play else None
            return self.scope(host, beside=beside) if self.known(host) else None

        return HostVars(lambda: list(self.inventory.hosts), scope_of, lambda scope: ScopeView(self.templar, scope))

    def whole(self, magic: Magic) -> ScopeView:
        kind = MergingScope if self.settings.hash_behaviour == "merge" else Scope
        return ScopeView(self.templar, kind(magic.chain, magic))

    def known(self, host: str) -> bool:
        return host in self.inventory.hosts or host in LOCALHOST

    def render(self, value: object, scope: Scope) -> Any:
        return self.templar.render(value, scope)


def all_dependencies(role: RoleRef) -> list[RoleRef]:
    found: list[RoleRef] = []
    for ref in role.dependencies:
        found += [*all_dependencies(ref), ref]
    return found
