"""The timeline's geometry: one lane for each host, one bar for each task, ticks at round times."""

from __future__ import annotations

from collections.abc import Iterable

from opsplay.lazy_dataclass import dataclass
from opsplay.report.quantities import seconds_text
from opsplay.report.task_records import TaskResult

WIDTH = 1000.0  # of the drawing's time axis, in its own units
THINNEST = 1.2  # so that a bar can be seen
MOST_LANES = 80
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    outcome: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    host: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    hidden: int  # hosts without a lane


def timeline(results: Iterable[TaskResult], began: float, duration: float) -> Timeline:
    """Lanes in the order in which hosts first appear; the busiest ones where there are too many."""
    by_host: dict[str, list[TaskResult]] = {}
    for result in results:
        by_host.setdefault(result.host, []).append(result)
    ends = [result.started + result.duration - began for lane in by_host.values() for result in lane]
    span = max([duration, 0.001, *ends])
    kept = set(sorted(by_host, key=lambda host: -_weight(by_host[host]))[:MOST_LANES])
    lanes = tuple(Lane(host, _bars(by_host[host], began, span)) for host in by_host if host in kept)
    return Timeline(lanes, _ticks(span), len(by_host) - len(lanes))


def _weight(results: list[TaskResult]) -> float:
    """Hosts with trouble before all others, then by time."""
    return sum(result.duration + 1e6 * result.bad for result in results)


def _bars(results: list[TaskResult], began: float, span: float) -> tuple[Bar, ...]:
    """Bars in time order. Of those too thin to see, only changes and failures are drawn once a spot is taken."""
    bars: list[Bar] = []
    for result in sorted(results, key=lambda result: result.started):
        x = max(0.0, (result.started - began) / span * WIDTH)
        width = max(THINNEST, result.duration / span * WIDTH)
        crowded = bars and x < bars[-1].x + 0.4 and width <= THINNEST
        if not crowded or result.changed or result.bad:
            title = f"{result.task.title} · {result.outcome} · {seconds_text(result.duration)}"
            bars.append(Bar(round(min(x, WIDTH - THINNEST), 2), round(width, 2), result.outcome, title))
    return tuple(bars)


def _ticks(span: float) -> tuple[tuple[float, str], ...]:
    step = next((step for step in STEPS if span / step <= 9), span / 8)
    count = int(span / step)
    return tuple((round(number * step / span * WIDTH, 2), _tick_text(number * step)) for number in range(count + 1))


def _tick_text(seconds: float) -> str:
    return "0" if seconds == 0 else f"{seconds:g} s" if seconds < 60 else seconds_text(seconds).replace(" 00 s", "")
