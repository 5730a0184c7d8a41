"""Reports on disk: formats by ending, private, whole or not at all, errors with a remedy."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from weekly_run import weekly_run

from opsplay.errors import OpsError
from opsplay.events import RunFinished
from opsplay.report.junit import junit_text
from opsplay.report.markdown import cell
from opsplay.report.summary import RunSummary
from opsplay.report.write import RENDERERS, write_reports


@pytest.fixture(scope="module")
def weekly() -> RunSummary:
    return RunSummary.from_events(weekly_run())


def test_all_formats_are_written_for_the_owner_only(weekly: RunSummary, tmp_path: Path) -> None:
    os.umask(0o022)
    written = write_reports(weekly, [tmp_path / "deep" / f"summary{ending}" for ending in RENDERERS])
    assert len(written) == 5
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {f"summary{ending}" for ending in RENDERERS}
    assert json.loads((tmp_path / "deep" / "summary.json").read_text())["verdict"] == "crit"


def test_an_unknown_ending_is_refused_before_anything_is_written(weekly: RunSummary, tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        write_reports(weekly, [tmp_path / "a.html", tmp_path / "b.pdf"])
    assert caught.value.code == "unknown-report-format"
    assert ".html, .json, .md" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_says_so(weekly: RunSummary) -> None:
    with pytest.raises(OpsError) as caught:
        write_reports(weekly, ["/proc/nowhere/summary.html"])
    assert caught.value.code == "report-not-written"


def test_junit_counts_and_survives_control_characters(weekly: RunSummary) -> None:
    root = ElementTree.fromstring(junit_text(weekly))
    suite = root[0]
    found = {key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped")}
    assert found == {"name": "Weekly maintenance", "tests": "23", "failures": "1", "errors": "1", "skipped": "2"}
    assert len(suite.findall("testcase")) == 23
    ended = RunSummary.from_events(
        [
            *weekly_run()[:-1],
            RunFinished(at=1.0, run_id="r", outcome="error", exit_code=3, duration=1, error="\x00\x1b[31m]]>\ud800"),
        ]
    )
    assert ElementTree.fromstring(junit_text(ended))[-1][0][0].tag == "error"


def test_markdown_cells_stay_text() -> None:
    assert (
        cell("a|b\n<img src=x> [x](http://e) `c` *d*") == r"a\|b &lt;img src=x&gt; \[x\](http:&#47;&#47;e) \`c\` \*d\*"
    )
