"""Profile: where the time of each task on each host went, counted only when `--profile` asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opsplay.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from opsplay.model.play import Task
    from opsplay.templating.templar import Templar
    from opsplay.transport.protocol import Reply

MEASURED = ("render", "condition", "render_file", "file_value", "render_text", "lookup")  # of Templar


@dataclass(slots=True)
class Spent:
    """Seconds of one task on one host. What was templated ahead for later tasks counts where it was done."""

    task: str
    host: str
    waiting: float = 0.0  # for its turn: other hosts, forks, serial
    network: float = 0.0  # the link, connecting included
    remote: float = 0.0  # the module at work on the host, by its own clock
    templating: float = 0.0
    whole: float = 0.0  # from its turn to its result

    @property
    def other(self) -> float:
        """What is left: actions here, events, journal and reports, other hosts' turns of the one event loop."""
        return max(0.0, self.whole - self.network - self.remote - self.templating)


_current: ContextVar[Spent | None] = ContextVar("spent", default=None)


def note_reply(reply: Reply) -> None:
    """A step's answer: the host's own time, and the rest of the way."""
    spent = _current.get()
    if spent is not None:
        spent.remote += reply.took
        spent.network += max(0.0, reply.waited - reply.took)


def note_network(seconds: float) -> None:
    spent = _current.get()
    if spent is not None:
        spent.network += seconds


class Profile:
    """`rows` are in the order in which the tasks began."""

    def __init__(self, templar: Templar) -> None:
        self.rows: dict[tuple[str, str], Spent] = {}
        self._depth = 0
        for name in MEASURED:
            setattr(templar, name, self._timed(getattr(templar, name)))

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            if self._depth:
                return call(*args, **options)
            self._depth += 1
            begun = time.perf_counter()
            try:
                return call(*args, **options)
            finally:
                self._depth -= 1
                spent = _current.get()
                if spent is not None:
                    spent.templating += time.perf_counter() - begun

        return timed

    def row(self, task: Task, host: str) -> Spent:
        name = str(getattr(task.name, "source", task.name) or task.written)
        return self.rows.setdefault((task.uid, host), Spent(name, host))

    def waited(self, task: Task, host: str, seconds: float) -> None:
        self.row(task, host).waiting += seconds

    def enter(self, task: Task, host: str) -> None:
        _current.set(self.row(task, host))

    def leave(self, seconds: float) -> None:
        spent = _current.get()
        if spent is not None:
            spent.whole += seconds
        _current.set(None)

    def lines(self) -> list[str]:
        """A table, the sum last; milliseconds."""
        rows = [row for row in self.rows.values() if row.whole or row.waiting]
        total = Spent(
            "sum",
            "",
            *(
                sum(getattr(row, name) for row in rows)
                for name in ("waiting", "network", "remote", "templating", "whole")
            ),
        )
        host = max([len(row.host) for row in rows], default=0)
        head = f"{'waiting':>9}{'network':>9}{'remote':>9}{'templating':>12}{'other':>9}  {'host':<{host}}  task, in ms"
        return [head, *(self._line(row, host) for row in [*rows, total])]

    @staticmethod
    def _line(row: Spent, host: int) -> str:
        numbers = [row.waiting, row.network, row.remote, row.templating, row.other]
        widths = (9, 9, 9, 12, 9)
        text = "".join(f"{number * 1000:>{width}.1f}" for number, width in zip(numbers, widths, strict=True))
        return f"{text}  {row.host:<{host}}  {row.task}"
