"""InventoryBuilder: collects hosts, groups and variables from any number of sources; `freeze` makes the Inventory."""

from __future__ import annotations

import re
from dataclasses import field

from opsplay.errors import OpsError, Where
from opsplay.inventory.connection_values import check_connection_values
from opsplay.inventory.inventory import Group, Host, Inventory
from opsplay.inventory.settings import InventorySettings
from opsplay.inventory.vars_files import VarsFolder
from opsplay.lazy_dataclass import dataclass
from opsplay.source.text_file import Opener
from opsplay.templating.layer import VarLayer

_NOT_IN_GROUP_NAMES = re.compile(r"^\d|\W", re.ASCII)
_PRIORITY = "ansible_group_priority"


@dataclass(slots=True)
class HostDraft:
    name: str
    where: Where | None
    layers: list[VarLayer] = field(default_factory=list)
    groups: dict[str, None] = field(default_factory=dict)
    implicit: bool = False  # localhost, which no source names: in the groups that tasks put it in, but never in `all`

    def copy(self) -> HostDraft:
        return HostDraft(self.name, self.where, list(self.layers), dict(self.groups), self.implicit)


@dataclass(slots=True)
class GroupDraft:
    name: str
    where: Where | None
    layers: list[VarLayer] = field(default_factory=list)
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)
    priority: int = 1

    def copy(self) -> GroupDraft:
        return GroupDraft(
            self.name,
            self.where,
            list(self.layers),
            dict(self.hosts),
            dict(self.children),
            dict(self.parents),
            self.priority,
        )


def safe_group_name(name: str) -> str:
    """A group name with everything that is no letter, digit or underscore made an underscore."""
    return _NOT_IN_GROUP_NAMES.sub("_", name)


class InventoryBuilder:
    """`notices` are warnings to show once; `vars_bases` the folders whose group_vars and host_vars count."""

    def __init__(self, settings: InventorySettings | None = None, vault: Opener | None = None) -> None:
        self.settings = settings or InventorySettings()
        self.vault = vault
        self.hosts: dict[str, HostDraft] = {}
        self.groups: dict[str, GroupDraft] = {name: GroupDraft(name, None) for name in ("all", "ungrouped")}
        self.notices: list[str] = []
        self.vars_bases: list[str] = []
        self.folders: dict[tuple[str, str], VarsFolder] = {}  # shared by every Inventory that is frozen from here
        self._attach("all", "ungrouped")

    def notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)

    def add_group(self, name: str, where: Where | None = None) -> str:
        """Adds the group where it is new; answers the name it has, which the settings may have changed."""
        if name in self.groups:
            return name
        name = self._checked_group_name(name, where)
        if name not in self.groups:
            self.groups[name] = GroupDraft(name, where)
        return name

    def _checked_group_name(self, name: str, where: Where | None) -> str:
        if not name:
            raise OpsError("inventory-bad-group-name", "a group needs a name", where, "Name it.")
        if not _NOT_IN_GROUP_NAMES.search(name):
            return name
        transform = self.settings.transform
        place = f"{where}: " if where else ""
        if transform in ("always", "silently"):
            if transform == "always" and safe_group_name(name) not in self.groups:
                self.notice(
                    f"{place}Invalid characters were found in group names and automatically replaced: "
                    f'"{name}" is now "{safe_group_name(name)}"'
                )
            return safe_group_name(name)
        if transform == "never":
            self.notice(
                f'{place}Invalid characters were found in group names but not replaced: patterns may misread "{name}". '
                f'"{safe_group_name(name)}" would do.'
            )
        return name

    def add_host(self, name: str, group: str | None = None, where: Where | None = None) -> HostDraft:
        """Adds a host whose name was checked already, to a group that exists."""
        draft = self.hosts.get(name)
        if draft is None:
            draft = self.hosts[name] = HostDraft(name, where)
            if name in self.groups:
                self.notice(f'{where}: "{name}" names a host and a group; a pattern with it means the group')
        if group is not None:
            draft.groups[group] = None
            self.groups[group].hosts[name] = None
        return draft

    def add_child(self, parent: str, child: str, where: Where | None = None) -> None:
        if child in self.groups[parent].children:
            return
        loop = self._loop(parent, child)
        if loop:
            raise OpsError(
                "inventory-group-cycle",
                f'"{child}" cannot be a child of "{parent}": {" > ".join(loop)} is a circle',
                where,
                "Remove one of the groups from the other's children.",
            )
        self._attach(parent, child)

    def _attach(self, parent: str, child: str) -> None:
        self.groups[parent].children[child] = None
        self.groups[child].parents[parent] = None

    def _loop(self, parent: str, child: str) -> list[str]:
        """The names from child down to parent and back where the new edge would close a circle."""
        if parent == child:
            return [child, parent]
        paths: list[list[str]] = [[child]]
        seen = {child}
        while paths and self.groups[parent].parents:
            path = paths.pop()
            for name in self.groups[path[-1]].children:
                if name == parent:
                    return [*path, parent, child]
                if name not in seen:
                    seen.add(name)
                    paths.append([*path, name])
        return [child, parent, child] if child == "all" else []

    def set_host_vars(self, name: str, layer: VarLayer) -> None:
        if layer:
            check_connection_values(layer)
            self.hosts[name].layers.append(layer)

    def set_group_vars(self, name: str, layer: VarLayer) -> None:
        if not layer:
            return
        check_connection_values(layer)
        if _PRIORITY in layer.values:
            self.groups[name].priority = _priority(layer)
            values = {key: value for key, value in layer.values.items() if key != _PRIORITY}
            layer = VarLayer(layer.title, values, layer.wheres)
        if layer:
            self.groups[name].layers.append(layer)

    def remove_group_member(self, group: str, host: str) -> None:
        self.groups[group].hosts.pop(host, None)
        self.hosts[host].groups.pop(group, None)

    def snapshot(self) -> tuple[dict[str, HostDraft], dict[str, GroupDraft]]:
        """All hosts and groups as they are now, to go back to where a source turns out to be unreadable."""
        return {name: host.copy() for name, host in self.hosts.items()}, {
            name: group.copy() for name, group in self.groups.items()
        }

    def restore(self, snapshot: tuple[dict[str, HostDraft], dict[str, GroupDraft]]) -> None:
        self.hosts, self.groups = snapshot

    def freeze(self) -> Inventory:
        self._reconcile()
        depths = _depths(self.groups)
        hosts = {
            name: Host(name, tuple(draft.layers), tuple(draft.groups), draft.where, draft.implicit)
            for name, draft in self.hosts.items()
        }
        groups = {name: _frozen(draft, depths[name]) for name, draft in self.groups.items()}
        bases = tuple(self.vars_bases)
        return Inventory(hosts, groups, bases, self.settings, self.notices, self.vault, folders=self.folders)

    def _reconcile(self) -> None:
        """Every group is below `all`; a host in no group is in `ungrouped`, any other is not."""
        for name, group in self.groups.items():
            if name != "all" and not group.parents:
                self._attach("all", name)
        for host in self.hosts.values():
            others = len(host.groups) - ("all" in host.groups) - ("ungrouped" in host.groups)
            if others and "ungrouped" in host.groups:
                self.remove_group_member("ungrouped", host.name)
            elif not others and "ungrouped" not in host.groups:
                self.add_host(host.name, "ungrouped")


def _priority(layer: VarLayer) -> int:
    value = layer.values[_PRIORITY]
    try:
        return int(str(value))
    except ValueError:
        raise OpsError(
            "inventory-bad-priority",
            f"{_PRIORITY} is a number, not {value!r}",
            layer.wheres.get(_PRIORITY),
            "Write a whole number; of groups of one depth the highest number wins.",
        ) from None


def _frozen(draft: GroupDraft, depth: int) -> Group:
    return Group(
        draft.name,
        tuple(draft.children),
        tuple(draft.parents),
        tuple(draft.hosts),
        depth,
        draft.priority,
        tuple(draft.layers),
        draft.where,
    )


def _depths(groups: dict[str, GroupDraft]) -> dict[str, int]:
    """The longest way down from `all` to each group."""
    waiting = {name: len(draft.parents) for name, draft in groups.items()}
    depths = {name: 0 for name in groups}
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        name = ready.pop()
        for child in groups[name].children:
            depths[child] = max(depths[child], depths[name] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return depths
