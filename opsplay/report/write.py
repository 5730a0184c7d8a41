"""Writing reports to files: which format a file name asks for, private files, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.report.summary import RunSummary

MODE = 0o600  # diffs and failure texts may show what only the operator may read; `chmod` is one command away


def write_reports(summary: RunSummary, targets: Iterable[str | Path]) -> list[Path]:
    """Write the summary to every target; its ending names the format: .html, .json, .md, .xml, .txt."""
    chosen = [(Path(target), renderer_for(Path(target))) for target in targets]
    for path, render in chosen:
        write_private(path, render(summary))
    return [path for path, _ in chosen]


def renderer_for(path: Path) -> Callable[[RunSummary], str]:
    try:
        return RENDERERS[path.suffix.lower()]
    except KeyError:
        raise OpsError(
            "unknown-report-format",
            f'no report is written to "{path.name}": its ending names no format',
            remedy=f"End the name in one of {', '.join(RENDERERS)}.",
            fault=Fault.USAGE,
        ) from None


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step, so that a reader never sees half a report; readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            os.chmod(temporary, MODE)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        message = f"the report {path} could not be written: {error.strerror or error}"
        raise OpsError(
            "report-not-written", message, remedy="The run is in the history: opsplay history show", fault=Fault.OPSPLAY
        ) from error


def _html(summary: RunSummary) -> str:
    from opsplay.report.html import html_text

    return html_text(summary)


def _json(summary: RunSummary) -> str:
    from opsplay.report.summary_json import summary_text

    return summary_text(summary)


def _markdown(summary: RunSummary) -> str:
    from opsplay.report.markdown import markdown_text

    return markdown_text(summary)


def _junit(summary: RunSummary) -> str:
    from opsplay.report.junit import junit_text

    return junit_text(summary)


def _text(summary: RunSummary) -> str:
    from opsplay.report.text_summary import plain_text, summary_lines

    return plain_text(summary_lines(summary))


RENDERERS: dict[str, Callable[[RunSummary], str]] = {
    ".html": _html, ".json": _json, ".md": _markdown, ".xml": _junit, ".txt": _text,
}  # fmt: skip
