"""Which progress a run shows: live on a terminal that can move its cursor, plain lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from opsplay.report.output import Output
from opsplay.report.plain import PlainProgress
from opsplay.report.summary import RunSummary

if TYPE_CHECKING:
    from opsplay.report.live import LiveProgress


def progress_for(
    summary: RunSummary,
    *,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    verbosity: int = 0,
    quiet: bool = False,
) -> PlainProgress | LiveProgress:
    """The listener that shows the run. `summary` must hear each event before it does."""
    output = Output(stdout or sys.stdout, environ)
    if output.is_terminal() and output.colour and not quiet:
        from opsplay.report.live import LiveProgress

        return LiveProgress(output, summary, verbosity=verbosity)
    return PlainProgress(output, Output(stderr or sys.stderr, environ), summary, verbosity=verbosity, quiet=quiet)
