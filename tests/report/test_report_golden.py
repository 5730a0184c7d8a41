"""Golden files of every text report. UPDATE_GOLDEN=1 writes them anew: read the difference before you commit it."""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from weekly_run import weekly_run

from opsplay.report.ansible_compat import AnsibleOutput
from opsplay.report.junit import junit_text
from opsplay.report.markdown import markdown_text
from opsplay.report.output import Output
from opsplay.report.plain import PlainProgress
from opsplay.report.summary import RunSummary
from opsplay.report.summary_json import summary_text
from opsplay.report.text_summary import plain_text, summary_lines

GOLDEN = Path(__file__).parent / "golden"


def stream(encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")


def text_of(file: io.TextIOWrapper) -> str:
    file.seek(0)
    return file.read()


def progress(environ: dict[str, str], verbosity: int = 0, quiet: bool = False) -> str:
    out, err, summary = stream(), stream(), RunSummary()
    shown = PlainProgress(Output(out, environ), Output(err, environ), summary, verbosity=verbosity, quiet=quiet)
    shown.next_step = "Look closer with: opsplay history show 20261122-100000-a1b2c3"
    for event in weekly_run():
        summary(event)
        shown(event)
    return text_of(out) + "=== stderr\n" + text_of(err)


def ansible(verbosity: int, check_markers: bool = False) -> str:
    out, err, environ = stream(), stream(), {"LANG": "C.UTF-8"}
    shown = AnsibleOutput(Output(out, environ), Output(err, environ), verbosity=verbosity, check_markers=check_markers)
    for event in weekly_run():
        shown(event)
    return text_of(out) + "=== stderr\n" + text_of(err)


def summary() -> RunSummary:
    return RunSummary.from_events(weekly_run())


CASES: dict[str, Callable[[], str]] = {
    "plain.txt": lambda: progress({"LANG": "C.UTF-8", "COLUMNS": "100"}),
    "plain-v.txt": lambda: progress({"LANG": "C.UTF-8", "COLUMNS": "100"}, verbosity=1),
    "plain-quiet.txt": lambda: progress({"LANG": "C.UTF-8", "COLUMNS": "100"}, quiet=True),
    "plain-ascii-40-columns.txt": lambda: progress({"LANG": "C", "COLUMNS": "40"}),
    "summary-80-columns.txt": lambda: plain_text(summary_lines(summary(), 80)),
    "ansible.txt": lambda: ansible(0),
    "ansible-v.txt": lambda: ansible(1),
    "summary.md": lambda: markdown_text(summary()),
    "summary.xml": lambda: junit_text(summary()),
    "summary.json": lambda: summary_text(summary()),
}


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")  # places in files are shown absolute
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    made = CASES[name]()
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_every_golden_file_has_its_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(CASES)


def test_forty_columns_and_ascii_hold() -> None:
    text = CASES["plain-ascii-40-columns.txt"]()
    assert text.isascii()
    after = text[text.index("\nHosts\n") :]
    assert [line for line in after.split("=== stderr")[0].splitlines() if len(line) > 80] == []
