"""The run summary as one self-contained HTML page: no script, nothing loaded, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from opsplay.report.html_view import page_view
from opsplay.report.quantities import bytes_text, clock_text, metric_text, metric_title, seconds_text
from opsplay.report.result_text import printable
from opsplay.report.summary import RunSummary

TEMPLATES = Path(__file__).parent / "templates"


def html_text(summary: RunSummary) -> str:
    style = (TEMPLATES / "summary.css").read_text(encoding="utf-8")
    page: str = (
        _environment()
        .get_template("summary.html.j2")
        .render(page_view(summary), style=style, policy=content_policy(style))
    )
    return page.encode("utf-8", "replace").decode()


def content_policy(style: str) -> str:
    """Nothing may run or load; the one style sheet is named by its hash, so that no other can slip in."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters.update(
        seconds=seconds_text, bytes=bytes_text, metric=metric_text, metric_title=metric_title, clock=clock_text
    )
    return environment
