"""Results of a single module, host by host, in the form that Ansible's ad-hoc command prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsplay.events import Event, HostFinished, Notice, OutputLine, TaskStarted
from opsplay.report.ansible_compat import COLOURS
from opsplay.report.ansible_results import _shown
from opsplay.report.counts import is_unforeseen
from opsplay.report.diff_text import diff_text
from opsplay.report.output import Output
from opsplay.report.result_text import printable

PLAIN_TEXT = frozenset({"command", "shell", "raw", "script", "win_command", "win_shell"})
DEBUG_HIDDEN = ("changed", "invocation")
WORDS = {"ok": "SUCCESS", "changed": "CHANGED", "failed": "FAILED", "skipped": "SKIPPED", "unreachable": "UNREACHABLE!",
         "unknown": "UNKNOWN"}


class AdhocOutput:
    """A listener. `tree`: a folder that gets one JSON file a host."""

    def __init__(
        self,
        output: Output,
        errors: Output,
        module: str,
        *,
        verbosity: int = 0,
        one_line: bool = False,
        tree: Path | None = None,
    ) -> None:
        self.output, self.errors, self.verbosity, self.one_line, self.tree = output, errors, verbosity, one_line, tree
        self.module = module.rpartition(".")[2]
        if tree is not None:
            tree.mkdir(parents=True, exist_ok=True)

    def __call__(self, event: Event) -> None:
        if isinstance(event, HostFinished):
            self._host(event)
        elif isinstance(event, OutputLine):  # beside the results, which a program may read
            self.errors.write(f"{printable(event.host)}| {printable(event.line)}\n")
        elif isinstance(event, TaskStarted) and event.action not in ("action", "local_action"):  # what a tasks file or a role holds, where one is imported
            self.module = event.action.rpartition(".")[2]
        elif isinstance(event, Notice) and event.level != "info":
            label, colour = (
                ("DEPRECATION WARNING", "deprecated") if event.level == "deprecated" else ("WARNING", "warning")
            )
            self.errors.write(self._coloured(f"[{label}]: {printable(event.message)}", colour) + "\n")

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """The terminal is free for a prompt at any time."""
        yield

    def _host(self, event: HostFinished) -> None:
        result, status = event.result, "unreachable" if event.status == "unknown" and not is_unforeseen(event) else event.status
        if result.get("diff") and self.verbosity >= 0:
            self._diff(result)
        text = self._text(event.host, status, result)
        self.output.write(self._coloured(printable(text), status) + "\n")
        if self.tree is not None:
            kept = {key: value for key, value in result.items() if not key.startswith("_ansible_")}
            (self.tree / event.host.replace("/", "_")).write_text(as_json(kept, None), encoding="utf-8")

    def _text(self, host: str, status: str, result: Mapping[str, Any]) -> str:
        word = WORDS[status]
        if status == "unknown":
            return f"{host} | UNKNOWN => {result.get('msg', '')}"
        if status == "skipped":
            return f"{host} | SKIPPED"
        if self.module in PLAIN_TEXT and "rc" in result and status != "unreachable":
            return self._command(host, word, result)
        shown = {
            key: value
            for key, value in result.items()
            if _shown(key, result, self.verbosity) and not _derived(key, result)
        }
        if self.module == "debug":
            shown = {key: value for key, value in shown.items() if key not in DEBUG_HIDDEN} or shown
        mark = "!" if status == "failed" else ""
        return f"{host} | {word}{mark} => {as_json(shown, None if self.one_line else 4)}"

    def _command(self, host: str, word: str, result: Mapping[str, Any]) -> str:
        streams = [str(result.get(name, "")) for name in ("stdout", "stderr")]
        rc = result.get("rc", -1)
        if self.one_line:
            flat = [text.replace("\n", "\\n").replace("\r", "\\r") for text in streams]
            errors = f" (stderr) {flat[1]}" if flat[1] else ""
            return f"{host} | {word} | rc={rc} | (stdout) {flat[0]}{errors}"
        message = str(result.get("msg", "") or "") if word == "FAILED" else ""
        parts = [text for text in (*streams, message) if text]
        return f"{host} | {word} | rc={rc} >>\n" + "\n".join(parts)

    def _diff(self, result: Mapping[str, Any]) -> None:
        for line in diff_text(result["diff"]).splitlines():
            self.output.write(self._coloured(line, {"+": "add", "-": "remove", "@": "hunk"}.get(line[:1], "")) + "\n")

    def _coloured(self, text: str, style: str) -> str:
        code = COLOURS.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self.output.colour and code else text


def _derived(key: str, result: Mapping[str, Any]) -> bool:
    """stdout_lines beside stdout says nothing new."""
    return key.endswith("_lines") and key.removesuffix("_lines") in result and key in ("stdout_lines", "stderr_lines")


def as_json(values: Mapping[str, Any], indent: int | None) -> str:
    return json.dumps(values, indent=indent, sort_keys=True, ensure_ascii=False, default=str)
