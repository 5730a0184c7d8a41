"""Progress where there is no terminal: one line for each host's result, as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opsplay.events import (
    Event,
    HostFinished,
    Included,
    ItemFinished,
    Message,
    Notice,
    OutputLine,
    PlayStarted,
    Retrying,
    RunFinished,
    RunStarted,
    TaskStarted,
)
from opsplay.report.output import Output
from opsplay.report.result_text import printable
from opsplay.report.summary import RunSummary
from opsplay.report.task_lines import debug_lines, detail_lines, host_line, item_line, task_title
from opsplay.report.text_summary import Line, plain_text, summary_lines
from opsplay.report.waits import Waits


class PlainProgress:
    """A listener. Skipped tasks show from -v on, live output unless `quiet`; the summary comes with RunFinished."""

    def __init__(
        self, output: Output, errors: Output, summary: RunSummary, *, verbosity: int = 0, quiet: bool = False
    ) -> None:
        self.output, self.errors, self.summary = output, errors, summary
        self.verbosity, self.quiet = verbosity, quiet
        self.next_step = ""
        self.diff = False
        self.waits = Waits(self._say_waiting)
        self.titles: dict[str, str] = {}
        self.actions: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        self.waits(event)
        match event:
            case HostFinished():
                self._host_finished(event)
            case TaskStarted():
                self.titles[event.task_id] = task_title(event)
                self.actions[event.task_id] = event.action
            case OutputLine():
                self._output_line(event)
            case ItemFinished():
                self._item_finished(event)
            case _:
                self._rare(event)

    def close(self) -> None:
        """End the look at what takes long: needed where a run ends without RunFinished."""
        self.waits.close()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """The terminal is free for a prompt at any time."""
        yield

    def _rare(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.diff = event.diff
                self._note(f"run {event.run_id}{' (check mode: nothing is changed)' if event.check else ''}")
            case PlayStarted():
                self._note(f"play {event.play}: {len(event.hosts)} hosts")
            case Included():
                self._note(f"included {event.path} for {', '.join(event.hosts)}")
            case Retrying():
                title = self.titles.get(event.task_id, event.task_id)
                self._note(f"retrying {event.host}  {title}  (attempt {event.attempt} of {event.retries + 1})")
            case Message():
                self.output.write(
                    "".join(f"{printable(event.host)}| {line}\n" for line in printable(event.text).splitlines())
                )
            case Notice():
                self._notice(event)
            case RunFinished():
                self._lines(list(summary_lines(self.summary, self.output.width, self.next_step, diffs=not self.diff)))

    def _host_finished(self, event: HostFinished) -> None:
        if self.quiet and event.status in ("ok", "skipped"):
            return
        if event.status == "skipped" and not self.verbosity:
            return
        lines = [host_line(event, self.titles.get(event.task_id, event.task_id))]
        lines += debug_lines(self.actions.get(event.task_id, ""), event)
        lines += detail_lines(event, self.verbosity, self.diff)
        self._lines(lines)

    def _item_finished(self, event: ItemFinished) -> None:
        if event.status in ("failed", "unreachable") or (self.verbosity and not self.quiet):
            self._lines([item_line(event)])
        if not self.quiet:
            self._lines(list(debug_lines(self.actions.get(event.task_id, ""), event)))

    def _output_line(self, event: OutputLine) -> None:
        if not self.quiet:
            self.output.write(f"{printable(event.host)}| {printable(event.line)}\n")

    def _notice(self, event: Notice) -> None:
        where = f"{event.where}: " if event.where else f"{event.host}: " if event.host else ""
        if event.level != "info" or self.verbosity:
            self.errors.write(printable(f"{event.level}: {where}{event.message}") + "\n")

    def _say_waiting(self, host: str, task: str, seconds: float) -> None:
        self._note(f"waiting for {host}: {task}, {seconds:.0f} s")

    def _note(self, text: str) -> None:
        if not self.quiet:
            self.output.write(printable(text) + "\n")

    def _lines(self, lines: list[Line]) -> None:
        if lines:
            self.output.write(plain_text(lines))


