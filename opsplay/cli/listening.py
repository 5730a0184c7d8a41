"""Listeners that settings ask for, beside those a command has: the log of log_path, and the user's own."""

from __future__ import annotations

import sys
from typing import Any

from opsplay.settings import Settings


def with_asked_for(settings: Settings, listeners: list[Any]) -> list[Any]:
    """The log first; the user's listeners last, when the run itself has heard. Raises OpsError for a file that is none."""
    own: list[Any] = []
    if settings.listeners:
        from opsplay.report.own_listeners import own_listener

        own = [own_listener(path) for path in settings.listeners]
    return [*log_of(settings), *listeners, *own]


def log_of(settings: Settings) -> list[Any]:
    """A file that cannot be written is a warning, as Ansible has it: the run is worth more than its log."""
    if not settings.log_path:
        return []
    from opsplay.report.log_file import log_listener

    try:
        return [log_listener(settings.log_path, max(settings.verbosity, settings.log_verbosity))]
    except OSError as error:
        sys.stderr.write(f"[WARNING]: log file at '{settings.log_path}' is not writeable, so nothing is logged: {error.strerror}\n")
        return []
