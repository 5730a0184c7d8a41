"""The listener that log_path asks for, in front of what a command listens with."""

from __future__ import annotations

import sys
from typing import Any

from opsplay.settings import Settings


def with_log(settings: Settings, listeners: list[Any]) -> list[Any]:
    """A file that cannot be written is a warning, as Ansible has it: the run is worth more than its log."""
    if not settings.log_path:
        return listeners
    from opsplay.report.log_file import log_listener

    try:
        return [log_listener(settings.log_path, max(settings.verbosity, settings.log_verbosity)), *listeners]
    except OSError as error:
        sys.stderr.write(f"[WARNING]: log file at '{settings.log_path}' is not writeable, so nothing is logged: {error.strerror}\n")
        return listeners
