"""Counts of a host's task results, by the rules of Ansible's play recap."""

from __future__ import annotations

from opsplay.events import HostFinished
from opsplay.lazy_dataclass import dataclass

NAMES = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")


@dataclass(slots=True)
class Counts:
    """A changed task also counts as ok, an ignored failure as ok and ignored, a rescued failure only as rescued.

    `unknown` is ours: the link broke while the task ran, so what it did is not known.
    """

    ok: int = 0
    changed: int = 0
    unreachable: int = 0
    failed: int = 0
    skipped: int = 0
    rescued: int = 0
    ignored: int = 0
    unknown: int = 0
    unforeseen: int = 0  # a check run cannot know what the task would do: no fault, and not in the recap

    def add(self, event: HostFinished) -> None:
        """Count one finished task. A looped task is one event, so it counts once; handlers are tasks."""
        status = event.status
        if status == "ok":
            self.ok += 1
        elif status == "changed":
            self.ok += 1
            self.changed += 1
        elif status == "skipped":
            self.skipped += 1
        elif is_unforeseen(event):
            self.unforeseen += 1
        else:
            self._add_bad(event)

    def add_included(self) -> None:
        """An included file counts as ok on each of its hosts; the include itself does not count again."""
        self.ok += 1

    def _add_bad(self, event: HostFinished) -> None:
        if event.ignored:
            self.ok += 1
            self.ignored += 1
            self.changed += bool(event.result.get("changed"))
        elif event.rescued:
            self.rescued += 1
        elif event.status in ("failed", "unreachable", "unknown"):
            setattr(self, event.status, getattr(self, event.status) + 1)

    @property
    def bad(self) -> int:
        return self.failed + self.unreachable + self.unknown

    @property
    def status(self) -> str:
        """The host's state in one word."""
        for name in ("unreachable", "failed", "unknown", "changed"):
            if getattr(self, name):
                return name
        return "ok" if self.ok or not self.skipped else "skipped"

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in (*NAMES, "unknown")}


def is_unforeseen(event: HostFinished) -> bool:
    return event.status == "unknown" and "unknown_because" in event.result


def total(counts: list[Counts]) -> Counts:
    """The sum over hosts."""
    result = Counts()
    for one in counts:
        for name in (*NAMES, "unknown", "unforeseen"):
            setattr(result, name, getattr(result, name) + getattr(one, name))
    return result
