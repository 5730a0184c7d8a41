"""The run as JUnit XML: one testsuite for each play, one testcase for each host and task."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from opsplay.report.summary import RunSummary
from opsplay.report.summary_json import iso
from opsplay.report.task_records import TaskResult

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(summary: RunSummary) -> str:
    root = ElementTree.Element(
        "testsuites", name=summary.start.run_id if summary.start else "run", time=_time(summary.duration)
    )
    plays = [play.play for play in summary.plays] or ["run"]
    for index, name in enumerate(plays):
        results = [result for result in summary.results if result.task.play == index]
        root.append(_suite(name, results))
    if summary.end and summary.end.error:
        root.append(_run_error(summary.end.error))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, results: list[TaskResult]) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {
        "name": _clean(name),
        "tests": str(len(results)),
        "failures": str(sum(_failed(result) and result.status == "failed" for result in results)),
        "errors": str(sum(_failed(result) and result.status != "failed" for result in results)),
        "skipped": str(sum(result.status == "skipped" or bool(result.unforeseen) for result in results)),
        "time": _time(sum(result.duration for result in results)),
    })  # fmt: skip
    if results:
        suite.set("timestamp", iso(min(result.started for result in results)))
    for result in results:
        suite.append(_case(result))
    return suite


def _case(result: TaskResult) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {
        "name": _clean(f"[{result.host}] {result.task.title}"), "classname": _clean(result.task.where or result.task.module),
        "time": _time(result.duration),
    })  # fmt: skip
    if result.unforeseen:
        ElementTree.SubElement(case, "skipped", message=_clean(result.unforeseen))
    elif result.status == "skipped":
        ElementTree.SubElement(case, "skipped")
    elif _failed(result):
        kind = "failure" if result.status == "failed" else "error"
        message = _clean(result.message)
        ElementTree.SubElement(case, kind, message=message.splitlines()[0], type=result.status).text = message
    elif result.bad or result.diff:
        ElementTree.SubElement(case, "system-out").text = _clean(
            f"{result.outcome}: {result.message}" if result.bad else result.diff
        )
    return case


def _run_error(text: str) -> ElementTree.Element:
    """What ended the run itself, outside any task."""
    suite = ElementTree.Element(
        "testsuite", name="opsplay", tests="1", errors="1", failures="0", skipped="0", time="0.000"
    )
    case = ElementTree.SubElement(suite, "testcase", name="the run", classname="opsplay", time="0.000")
    ElementTree.SubElement(case, "error", message=_clean(text).splitlines()[0], type="run").text = _clean(text)
    return suite


def _failed(result: TaskResult) -> bool:
    return result.bad and not (result.ignored or result.rescued)


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    """XML has no way to write control characters and lone surrogates."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text) or "-"
