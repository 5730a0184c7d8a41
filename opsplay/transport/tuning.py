"""Tuning: the figures that every transport goes by."""

from __future__ import annotations

from opsplay.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """Seconds and bytes. A dead peer is noticed within keepalive_interval * keepalive_count + 1 seconds."""

    keepalive_interval: float = 5.0
    keepalive_count: int = 3
    connects_at_once: int = 32  # threads that log in at the same time
    start_timeout: float = 30.0  # for the interpreter to answer, rc files of the login shell included
    become_timeout: float = 20.0
    grace: float = 2.0  # how long work may go on after the controller went away
    output_limit: int = 16 * 1024 * 1024  # bytes kept of each of stdout and stderr
    deadline_grace: float = 3.0  # behind a step's deadline, for the host's own answer, before the link is given up


_FROM_SETTINGS = {
    "keepalive_interval": "keepalive_interval",
    "keepalive_count": "keepalive_count",
    "output_limit": "output_limit",
    "connect_at_once": "connects_at_once",
}


def tuning_from(settings: object) -> Tuning:
    """What the settings say, where they say it."""
    values = {ours: getattr(settings, theirs, None) for theirs, ours in _FROM_SETTINGS.items()}
    return Tuning(**{name: value for name, value in values.items() if value})
