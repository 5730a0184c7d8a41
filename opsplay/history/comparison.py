"""How two runs differ: hosts, outcomes of the same task, numbers that moved."""

from __future__ import annotations

from typing import Any

from opsplay.history.queries import RecordedRun
from opsplay.lazy_dataclass import dataclass

MOVED = 0.05  # a number that moved by less than this share is not news


@dataclass(frozen=True, slots=True)
class Comparison:
    """`first` is the older run. Outcome and number rows are (what, host, then, now)."""

    first: str
    second: str
    seconds: tuple[float, float]
    only_first: list[str]
    only_second: list[str]
    outcomes: list[tuple[str, str, str, str]]
    metrics: list[tuple[str, str, float, float]]

    def as_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "duration": {"then": self.seconds[0], "now": self.seconds[1]},
            "hosts_only_in_first": self.only_first,
            "hosts_only_in_second": self.only_second,
            "outcomes": [{"task": a, "host": b, "then": c, "now": d} for a, b, c, d in self.outcomes],
            "metrics": [{"name": a, "host": b, "then": c, "now": d} for a, b, c, d in self.metrics],
        }


def compare(first: RecordedRun, second: RecordedRun) -> Comparison:
    if second.run["started"] < first.run["started"]:
        first, second = second, first
    outcomes = [
        (
            task,
            host,
            first.results[task, host]["outcome"] if (task, host) in first.results else "not run",
            row["outcome"],
        )
        for (task, host), row in second.results.items()
        if (task, host) not in first.results or first.results[task, host]["outcome"] != row["outcome"]
    ]
    outcomes += [
        (task, host, row["outcome"], "not run")
        for (task, host), row in first.results.items()
        if (task, host) not in second.results
    ]
    metrics = [
        (name, host, first.metrics[host, name], value)
        for (host, name), value in second.metrics.items()
        if (host, name) in first.metrics and _moved(first.metrics[host, name], value)
    ]
    return Comparison(
        first.run["run_id"], second.run["run_id"], (first.run["duration"], second.run["duration"]),
        sorted(set(first.hosts) - set(second.hosts)), sorted(set(second.hosts) - set(first.hosts)), outcomes, metrics,
    )  # fmt: skip


def _moved(then: float, now: float) -> bool:
    return abs(now - then) > MOVED * max(abs(then), abs(now))
