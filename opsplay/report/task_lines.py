"""Lines for results as they come in, in opsplay's own style; shared by the plain and the live listener."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from opsplay.events import HostFinished, ItemFinished, TaskStarted
from opsplay.report.diff_text import result_diff
from opsplay.report.quantities import seconds_text
from opsplay.report.result_text import failure_message, printable
from opsplay.report.text_summary import Line

BAD = ("failed", "unreachable", "unknown")
_INTERNAL = ("invocation", "diff", "_ansible_")
_AROUND = frozenset({"changed", "failed", "invocation", "warnings", "deprecations", "ansible_loop_var", "ansible_index_var",
                     "ansible_loop", "failed_when_result", "attempts"})  # fmt: skip


def task_title(event: TaskStarted) -> str:
    name = event.task or event.action
    title = name if not event.role or name.startswith(f"{event.role} : ") else f"{event.role} : {name}"
    return f"{title} (handler)" if event.is_handler else title


def outcome(event: HostFinished) -> str:
    return "ignored" if event.ignored else "rescued" if event.rescued else event.status


def host_line(event: HostFinished, title: str) -> Line:
    """`changed web1  log_rotation : Rotate  0.31 s`"""
    name = outcome(event)
    target = f"{event.host} -> {event.delegated_to}" if event.delegated_to else event.host
    return [
        (name, f"{name:<11}"), ("", f" {printable(target)}  {printable(title)}"), ("dim", f"  {seconds_text(event.duration)}"),
    ]  # fmt: skip


def detail_lines(event: HostFinished, verbosity: int, diff: bool) -> Iterator[Line]:
    """What belongs under a host's line: the reason of a failure, the diff, at -v the result."""
    if event.status in BAD:
        for text in printable(failure_message(event.result)).splitlines():
            yield [(outcome(event), f"    {text}")]
    if diff and event.result.get("changed"):
        yield from diff_lines(event.result)
    if verbosity >= 1:
        yield from result_lines(event.result, verbosity)


def item_line(event: ItemFinished) -> Line:
    return [(event.status, f"{event.status:<11}"), ("", f" {printable(event.host)}  ({printable(event.label)})")]


def debug_lines(action: str, event: HostFinished | ItemFinished) -> Iterator[Line]:
    """What a `debug` task wants read, behind the host's name: `web1| 3 days left`."""
    if action.rpartition(".")[2] != "debug" or event.status not in ("ok", "changed") or "censored" in event.result:
        return
    if getattr(event, "looped", False):  # its items have been shown
        return
    for text in printable(debug_text(event.result)).splitlines():
        yield [("dim", f"{printable(event.host)}| "), ("", text)]


def debug_text(result: Mapping[str, Any]) -> str:
    if "msg" in result:
        return value_text(result["msg"])
    around = {*_AROUND, result.get("ansible_loop_var"), result.get("ansible_index_var")}
    shown = {key: value for key, value in result.items() if key not in around and not key.startswith("_ansible_")}
    return "\n".join(f"{key}: {value_text(value)}" for key, value in shown.items())


def value_text(value: Any) -> str:
    """A text as it is; anything else as JSON, spread out where one line would be long."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return text if len(text) <= 100 else json.dumps(value, indent=2, sort_keys=True, default=str, ensure_ascii=False)


def diff_lines(result: Mapping[str, Any]) -> Iterator[Line]:
    for line in result_diff(result).splitlines():
        yield [({"+": "add", "-": "remove", "@": "hunk"}.get(line[:1], "dim"), f"    {printable(line)}")]


def result_lines(result: Mapping[str, Any], verbosity: int) -> Iterator[Line]:
    """The result as JSON: on one line at -v, spread out from -vv on; our own keys from -vvv on."""
    shown = {key: value for key, value in result.items() if verbosity >= 3 or not key.startswith(_INTERNAL)}
    indent = 2 if verbosity >= 2 else None
    for line in json.dumps(shown, indent=indent, sort_keys=True, default=str, ensure_ascii=False).splitlines():
        yield [("dim", f"    {printable(line)}")]
