"""Play values: serial, order, strategy and vars_files of a play, judged before the first host is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.model.play import Play
from opsplay.plan.batches import batches_of, ordered
from opsplay.templating.template import Template
from opsplay.templating.values import is_dynamic

STRATEGIES = {
    "linear": "linear", "debug": "linear", "mitogen_linear": "linear", "free": "free", "mitogen_free": "free",
    "host_pinned": "host_pinned", "mitogen_host_pinned": "host_pinned",
}  # fmt: skip
Known = Callable[[Play, object], object]  # a value as far as it is known without a host; a Template where it is not


def pace_of(strategy: object) -> str:
    """linear, free or host_pinned. Raises OpsError for a strategy that is not there."""
    name = str(strategy).rpartition(".")[2]
    if name not in STRATEGIES:
        raise OpsError("unknown-strategy", f"Invalid play strategy specified: {name}",
                       remedy=f"{did_you_mean(name, set(STRATEGIES))} Use linear, free or host_pinned.".strip())  # fmt: skip
    return STRATEGIES[name]


def check_values(play: Play, known: Known | None = None) -> Iterator[OpsError]:
    """What is wrong with them, as far as it is known; the rest is told when the play begins."""
    for name, check in CHECKS.items():
        value = play.keywords.get(name)
        for number, item in enumerate(value) if isinstance(value, (list, tuple)) else [(None, value)]:
            if is_dynamic(item):
                item = known(play, item) if known is not None and not asks(item) else None
            if item is not None and not isinstance(item, Template):
                try:
                    check(item)
                except OpsError as error:
                    yield placed(error, play, name, number)
    for number, entry in enumerate(play.vars_files):
        if not isinstance(entry, (str, Template)) and not (isinstance(entry, list) and all(isinstance(item, (str, Template)) for item in entry)):
            yield OpsError(
                "bad-vars-files", "Invalid vars_files entry: vars_files entries should be either a string type or a list of string types",
                place(play, "vars_files", number), "Write a file's name, or a list of names of which the first that is there counts.",
            )  # fmt: skip


def asks(value: object) -> bool:
    """Whether rendering it may ask something outside: that is done once, when the play begins."""
    return "(" in getattr(value, "source", "(")


CHECKS: dict[str, Callable[[object], object]] = {
    "serial": lambda value: batches_of([], value), "order": lambda value: ordered([], value, None), "strategy": pace_of,
}  # fmt: skip


def place(play: Play, name: str, number: int | None = None) -> Where:
    """Where a keyword's value stands, or an entry of it."""
    found = play.wheres.get(name if number is None else f"{name}[{number}]")
    return found or play.wheres.get(name) or play.where


def placed(error: OpsError, play: Play, name: str, number: int | None = None) -> OpsError:
    error.where = error.where or place(play, name, number)
    return error
