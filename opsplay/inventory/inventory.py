"""Inventory: the frozen hosts and groups, who belongs to whom, and the variables of each in Ansible's order."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import field

from opsplay.errors import Where
from opsplay.inventory.settings import InventorySettings
from opsplay.inventory.vars_files import VarsFolder
from opsplay.lazy_dataclass import dataclass
from opsplay.source.text_file import Opener
from opsplay.templating.layer import VarLayer
from opsplay.templating.template import Template

LOCALHOST = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Host:
    """`layers` are the variables that inventory sources set for it, lowest first; `groups` those it is listed in."""

    name: str
    layers: tuple[VarLayer, ...] = ()
    groups: tuple[str, ...] = ()
    where: Where | None = None
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """`hosts` and `children` are its own, in the order of the sources; `depth` the longest way down from `all`."""

    name: str
    children: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    depth: int = 0
    priority: int = 1
    layers: tuple[VarLayer, ...] = ()
    where: Where | None = None


def implicit_localhost(name: str) -> Host:
    """The host that `localhost` means where no inventory has one: this machine, without ssh, in no group."""
    values = {
        "ansible_connection": "local",
        "ansible_python_interpreter": Template("{{ ansible_playbook_python }}"),
    }
    return Host(name, (VarLayer("implicit localhost", values),), (), None, True)


@dataclass(frozen=True)
class Inventory:
    """`notices` are warnings for the user. The rest are caches, filled as they are asked for."""

    hosts: dict[str, Host]
    groups: dict[str, Group]
    vars_bases: tuple[str, ...] = ()
    settings: InventorySettings = field(default_factory=InventorySettings)
    notices: list[str] = field(default_factory=list, compare=False)
    vault: Opener | None = field(default=None, compare=False)
    folders: dict[tuple[str, str], VarsFolder] = field(default_factory=dict, repr=False, compare=False)
    _members: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    _lines: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    _shared: dict[tuple[object, ...], tuple[VarLayer, ...]] = field(default_factory=dict, repr=False, compare=False)

    def host(self, name: str) -> Host:
        """The host of that name; localhost is there even where no source has it. KeyError for any other."""
        found = self.hosts.get(name)
        if found is None and name in LOCALHOST:
            return implicit_localhost(name)
        return self.hosts[name] if found is None else found

    def group_hosts(self, name: str) -> tuple[str, ...]:
        """All hosts of a group and the groups below it: its own first, then level by level."""
        members = self._members.get(name)
        if members is None:
            found: dict[str, None] = {}
            for group in self.descendants(name):
                found.update(dict.fromkeys(self.groups[group].hosts))
            if name == "all":
                found = {host: None for host in found if not self.hosts[host].implicit}
            members = self._members[name] = tuple(found)
        return members

    def descendants(self, name: str) -> list[str]:
        """The group and every group below it, level by level, in the order of the sources."""
        seen = {name: None}
        level = [name]
        while level:
            level = [child for group in level for child in self.groups[group].children if child not in seen]
            seen.update(dict.fromkeys(level))
            level = list(dict.fromkeys(level))
        return list(seen)

    def host_groups(self, name: str) -> tuple[str, ...]:
        """Every group that a host is in, `all` first, in the order in which their variables override."""
        direct = self.host(name).groups
        groups = self._lines.get(direct)
        if groups is None:
            found = {"all", *direct}
            level = list(direct)
            while level:
                level = [parent for group in level for parent in self.groups[group].parents if parent not in found]
                found.update(level)
            groups = self._lines[direct] = tuple(sorted(found, key=self._rank))
        return groups

    def _rank(self, name: str) -> tuple[int, int, str]:
        group = self.groups[name]
        return group.depth, group.priority, name

    def group_names(self, name: str) -> list[str]:
        """The magic variable `group_names` of a host."""
        return sorted(group for group in self.host_groups(name) if group != "all")

    def groups_dict(self) -> dict[str, list[str]]:
        """The magic variable `groups`."""
        return {name: list(self.group_hosts(name)) for name in self.groups}

    def host_layers(self, name: str, playbook_dir: str | None = None) -> list[VarLayer]:
        """All that inventories, group_vars and host_vars set for a host, lowest precedence first."""
        return [*self._group_layers(self.host_groups(name), playbook_dir), *self.own_host_layers(name, playbook_dir)]

    def own_host_layers(self, name: str, playbook_dir: str | None = None) -> list[VarLayer]:
        """What is set for the host itself, in sources and host_vars."""
        layers = list(self.host(name).layers)
        for base, title in self._bases(playbook_dir):
            layers += self._folder(base, "host_vars").layers(name, title)
        return layers

    def own_group_layers(self, name: str, playbook_dir: str | None = None) -> list[VarLayer]:
        """What is set for the group itself, in sources and group_vars."""
        layers = list(self.groups[name].layers)
        for base, title in self._bases(playbook_dir):
            layers += self._folder(base, "group_vars").layers(name, title)
        return layers

    def _group_layers(self, groups: tuple[str, ...], playbook_dir: str | None) -> tuple[VarLayer, ...]:
        key = (groups, playbook_dir)
        layers = self._shared.get(key)
        if layers is None:
            found = [layer for part in self.settings.precedence for layer in self._part(part, groups, playbook_dir)]
            layers = self._shared[key] = tuple(found)
        return layers

    def _part(self, part: str, groups: tuple[str, ...], playbook_dir: str | None) -> list[VarLayer]:
        """One entry of the setting `precedence`: all or other groups, from sources, inventory or play folders."""
        whose, _, origin = part.partition("_")
        names = groups[:1] if whose == "all" else groups[1:]
        if origin == "inventory":
            return [layer for group in names for layer in self.groups[group].layers]
        owner = {"plugins_inventory": "inventory", "plugins_play": "playbook"}.get(origin)
        folders = [
            (self._folder(base, "group_vars"), title) for base, title in self._bases(playbook_dir) if title == owner
        ]
        return [layer for folder, title in folders for group in names for layer in folder.layers(group, title)]

    def _bases(self, playbook_dir: str | None) -> list[tuple[str, str]]:
        """The folders whose group_vars and host_vars count; one that is both counts as the playbook's, the higher."""
        if playbook_dir is None:
            return [(base, "inventory") for base in self.vars_bases]
        mine = os.path.abspath(playbook_dir)
        others = [(base, "inventory") for base in self.vars_bases if os.path.abspath(base) != mine]
        return [*others, (playbook_dir, "playbook")]

    def _folder(self, base: str, kind: str) -> VarsFolder:
        folder = self.folders.get((base, kind))
        if folder is None:
            folder = VarsFolder(base, kind, self.vault, self.settings.duplicates, self.notices)
            self.folders[base, kind] = folder
        return folder

    def select(self, pattern: str, limit: str | None = None, warn: Callable[[str], None] | None = None) -> list[str]:
        """The hosts that a pattern names and `limit` leaves. Warnings go to `warn`, else to notices."""
        from opsplay.inventory.patterns import select_hosts

        return select_hosts(self, pattern, limit, warn or self.notices.append)
