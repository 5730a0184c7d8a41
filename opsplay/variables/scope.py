"""Scope: the variables a task sees on a host, found by Ansible's documented precedence, nothing copied.

https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html (understanding variable precedence)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from opsplay.templating.pending import NotYetKnown
from opsplay.templating.scope import MISSING, ScopeView

if TYPE_CHECKING:
    from opsplay.variables.connecting import Connecting

Chain = tuple[Mapping[str, object], ...]
# Other hosts may be elsewhere in the play when a task is prepared ahead of its turn.
UNSETTLED = frozenset({"hostvars", "vars", "ansible_play_hosts", "play_hosts", "ansible_play_batch"})


class Scope:
    """`chain` holds the mappings, strongest first; `magic` the names that nothing overrides, by function; `last` those
    that everything overrides."""

    __slots__ = ("ahead", "cache", "chain", "last", "magic", "pending", "temporary")

    def __init__(
        self,
        chain: Chain,
        magic: Mapping[str, Callable[[], object]],
        temporary: Mapping[str, object] | None = None,
        pending: set[str] | None = None,
        ahead: bool = False,
    ) -> None:
        self.chain = chain
        self.magic = magic
        self.temporary = temporary or {}
        self.pending = pending or set()
        self.ahead = ahead
        self.last: Connecting | None = None
        self.cache: dict[str, object] = {}

    def raw(self, name: str) -> object:
        """The compiled value, or MISSING. Raises NotYetKnown for a result that is still under way."""
        if name in self.temporary:
            return self.temporary[name]
        if self.ahead and (name in self.pending or name in UNSETTLED):
            raise NotYetKnown(name)
        if name in self.magic and (value := self.magic[name]()) is not MISSING:
            return value
        for mapping in self.chain:
            if name in mapping:
                return mapping[name]
        return self.last.value(name, self) if self.last is not None and name in self.last else MISSING

    def given(self, name: str) -> object:
        """The same, but only what somebody set: without `last`."""
        if self.last is None or name not in self.last:
            return self.raw(name)
        return type(self)(self.chain, self.magic, self.temporary, self.pending, self.ahead).raw(name)

    def names(self) -> Iterable[str]:
        seen = dict.fromkeys(self.temporary)
        seen.update(dict.fromkeys(self.magic))
        for mapping in self.chain:
            seen.update(dict.fromkeys(mapping))
        return seen

    def with_(self, **names: object) -> Scope:
        """The same with further names above all others (loop items, results under judgement)."""
        return self._like({**self.temporary, **names})

    def _like(self, temporary: Mapping[str, object]) -> Scope:
        made = type(self)(self.chain, self.magic, temporary, self.pending, self.ahead)
        made.last = self.last
        return made


class MergingScope(Scope):
    """hash_behaviour=merge: dictionaries of the same name are merged over the whole chain."""

    __slots__ = ()

    def raw(self, name: str) -> object:
        found = [mapping[name] for mapping in self.chain if name in mapping]
        if (
            name in self.temporary
            or name in self.magic
            or len(found) < 2
            or not all(isinstance(item, dict) for item in found)
        ):
            return super().raw(name)
        merged: dict[str, object] = {}
        for item in reversed(found):
            merged = merge_hash(merged, item)  # type: ignore[arg-type]
        return merged


def merge_hash(low: Mapping[str, object], high: Mapping[str, object]) -> dict[str, object]:
    merged = dict(low)
    for key, value in high.items():
        mine = merged.get(key)
        merged[key] = merge_hash(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged


class HostVars(Mapping[str, ScopeView]):
    """The magic variable `hostvars`: every host of the inventory, its variables resolved in its own scope."""

    __slots__ = ("_names", "_scope_of", "_view")

    def __init__(
        self,
        names: Callable[[], Iterable[str]],
        scope_of: Callable[[str], Scope | None],
        view: Callable[[Scope], ScopeView],
    ) -> None:
        self._names = names
        self._scope_of = scope_of
        self._view = view

    def __getitem__(self, host: str) -> ScopeView:
        scope = self._scope_of(host)
        if scope is None:
            raise KeyError(host)
        return self._view(scope)

    def __contains__(self, host: object) -> bool:
        return isinstance(host, str) and self._scope_of(host) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(list(self._names()))
