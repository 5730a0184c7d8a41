"""LiveInventory: the inventory of a run, to which tasks add hosts and groups and which can be read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from opsplay.errors import Where
from opsplay.inventory.hostnames import expand_host
from opsplay.inventory.inventory import LOCALHOST, Inventory, implicit_localhost
from opsplay.inventory.load import load_builder
from opsplay.inventory.settings import InventorySettings
from opsplay.source.text_file import Opener
from opsplay.templating.layer import VarLayer

if TYPE_CHECKING:
    from opsplay.settings import Settings


class LiveInventory:
    """`current` is frozen, and a new one after each change; hold it for as long as one answer needs."""

    def __init__(
        self,
        sources: Sequence[str],
        settings: Settings | InventorySettings | None = None,
        vault: Opener | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.settings = InventorySettings.of(settings)
        self.vault = vault
        self._builder = load_builder(self.sources, self.settings, vault)
        self._current: Inventory | None = None
        self._changes: list[Callable[[], bool]] = []  # what tasks have added, to be made again on a refresh

    @property
    def current(self) -> Inventory:
        if self._current is None:
            self._current = self._builder.freeze()
        return self._current

    def refresh(self) -> Inventory:
        """Reads all sources again; hosts and groups that tasks have added stay."""
        self._builder = load_builder(self.sources, self.settings, self.vault)
        self._current = None
        for change in self._changes:
            change()
        return self.current

    def add_host(
        self,
        name: str,
        groups: Iterable[str] = (),
        variables: Mapping[str, object] | None = None,
        where: Where | None = None,
    ) -> bool:
        """The add_host module; `name` may carry a port, values are plain results. Whether anything is new."""
        names, port = expand_host(name, where)
        values = ({} if port is None else {"ansible_port": port}) | dict(variables or {})
        return self._make(lambda: any([self._add_one(host, list(groups), values, where) for host in names]))

    def _make(self, change: Callable[[], bool]) -> bool:
        self._changes.append(change)
        return change()

    def _add_one(self, name: str, groups: list[str], values: dict[str, object], where: Where | None) -> bool:
        builder = self._builder
        changed = name not in builder.hosts
        host = builder.add_host(name, None, where)
        for group in groups:
            group = self._group(group, where)
            changed = changed or group not in host.groups
            builder.add_host(name, group, where)
        known = {key: value for layer in host.layers for key, value in layer.values.items()}
        new = {key: value for key, value in values.items() if key not in known or known[key] != value}
        if new:
            builder.set_host_vars(name, VarLayer("add_host", new, dict.fromkeys(new, where) if where else {}))
        self._change(changed or bool(new))
        return changed or bool(new)

    def add_group(self, name: str, parents: Iterable[str] = (), where: Where | None = None) -> bool:
        """A group below its parents (`all` where none is named). Whether anything is new."""
        changed = name not in self._builder.groups
        group = self._group(name, where)
        for parent in parents:
            parent = self._group(parent, where)
            if parent not in ("all", group) and group not in self._builder.groups[parent].children:
                self._builder.add_child(parent, group, where)
                changed = True
        self._change(changed)
        return changed

    def group_by(self, host: str, key: str, parents: Iterable[str] = ("all",), where: Where | None = None) -> bool:
        """The group_by module for one host: spaces in names become dashes. Whether anything is new."""
        return self._make(lambda: self._group_one(host, key, list(parents), where))

    def _group_one(self, host: str, key: str, parents: list[str], where: Where | None) -> bool:
        name = key.replace(" ", "-")
        changed = self.add_group(name, [parent.replace(" ", "-") for parent in parents], where)
        group = self._group(name, where)
        if host in LOCALHOST and host not in self._builder.hosts:  # from now on it is a host like others, reached as before
            self._builder.add_host(host, None, where).implicit = True
            self._builder.set_host_vars(host, implicit_localhost(host).layers[0])
        if host in self._builder.hosts and group not in self._builder.hosts[host].groups:
            self._builder.add_host(host, group, where)
            changed = True
        self._change(changed)
        return changed

    def _group(self, name: str, where: Where | None) -> str:
        return self._builder.add_group(name, where)

    def _change(self, changed: bool) -> None:
        if changed:
            self._current = None
