"""Progress on a terminal: finished tasks scroll by, what runs and what is waited for stays at the bottom (rich)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opsplay.events import (
    Event,
    HostFinished,
    HostStarted,
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
from opsplay.report.live_state import LiveState, OpenTask
from opsplay.report.output import Output
from opsplay.report.quantities import seconds_text
from opsplay.report.result_text import printable
from opsplay.report.summary import RunSummary
from opsplay.report.task_lines import BAD, debug_lines, detail_lines, host_line, item_line, outcome, task_title
from opsplay.report.text_summary import Line, ansi_text, plain_text, summary_lines

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

TICK = 0.12  # seconds between two looks of the screen at what happened
IDLE = 0.45  # seconds between two drawings where nothing happened but time
SHOWN = 5  # open tasks and waited-for hosts at the bottom


class LiveProgress:
    """A listener. It only notes what happened; a thread of its own draws, so that no host waits for the terminal."""

    def __init__(self, output: Output, summary: RunSummary, *, verbosity: int = 0, quiet: bool = False) -> None:
        self.output, self.summary = output, summary
        self.verbosity, self.quiet = verbosity, quiet
        self.next_step = ""
        self.diff = False
        self.state = LiveState()
        self.pending: list[Line] = []
        self.began = time.monotonic()
        self._drawn = 0.0
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._live: Live | None = None
        self._lent = False

    def __call__(self, event: Event) -> None:
        match event:
            case HostStarted():
                self.state.started(event.task_id, event.host, time.monotonic())
            case HostFinished():
                self._host_finished(event)
            case OutputLine():
                if not self.quiet:
                    self.pending.append([("dim", f"{printable(event.host)}| "), ("", printable(event.line))])
            case ItemFinished():
                if event.status in BAD or (self.verbosity and event.status != "skipped"):
                    self.pending.append(item_line(event))
                self._debug(event)
            case TaskStarted():
                self._task_started(event)
            case _:
                self._rare(event)

    def _rare(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.diff = event.diff
                self._start(event)
            case PlayStarted():
                self.state.play = printable(event.play)
                self.pending.append([("title", f"{printable(event.play)}"), ("dim", f"  {len(event.hosts)} hosts")])
            case Message():
                lines = printable(event.text).splitlines()
                self.pending += [[("dim", f"{printable(event.host)}| "), ("", line)] for line in lines]
            case Notice():
                if event.level != "info" or self.verbosity:
                    where = event.where or event.host
                    self.pending.append(
                        [
                            ("warn", f"{event.level}: "),
                            ("", printable(f"{where}: " if where else "") + printable(event.message)),
                        ]
                    )
            case Retrying():
                text = f"retrying    {event.host}  attempt {event.attempt} of {event.retries + 1}"
                self.pending.append([("dim", printable(text))])
            case RunFinished():
                self._finish()

    def _task_started(self, event: TaskStarted) -> None:
        now = time.monotonic()
        self.state.open(OpenTask(event.task_id, printable(task_title(event)), event.action, now))
        for host in event.hosts:
            self.state.started(event.task_id, host, now)

    def _debug(self, event: HostFinished | ItemFinished) -> None:
        task = self.state.tasks.get(event.task_id)
        if task is not None:
            self.pending += debug_lines(task.module, event)

    def _host_finished(self, event: HostFinished) -> None:
        name = outcome(event)
        self._debug(event)
        self.state.ended(event.task_id, event.host, name, event.duration)
        verbose = self.verbosity and event.status != "skipped"
        if event.status in BAD or verbose or (self.diff and event.status == "changed"):
            task = self.state.tasks.get(event.task_id)
            lines = [
                host_line(event, task.title if task else event.task_id),
                *detail_lines(event, self.verbosity, self.diff),
            ]
            self.pending += lines

    # The screen

    def _start(self, event: RunStarted) -> None:
        from rich.console import Console
        from rich.live import Live

        if event.check:
            self.pending.append([("warn", "check mode: nothing is changed")])
        console = Console(file=self.output.stream, highlight=False, no_color=not self.output.colour)
        self._live = Live(console=console, auto_refresh=False, transient=True, get_renderable=self._bottom)
        self._live.start()
        self._thread = threading.Thread(target=self._draw_until_stopped, name="opsplay-screen", daemon=True)
        self._thread.start()

    def _draw_until_stopped(self) -> None:
        while not self._stopped.wait(TICK):
            with self._lock:
                if self._live is not None and not self._lent:
                    self._draw(self._live)

    def _draw(self, live: Live, everything: bool = False) -> None:
        """Print what happened above the bottom lines. A terminal that went away ends the drawing, not the run."""
        try:
            for task in self.state.take_complete(everything):
                self.pending += self._task_lines(task)
            lines, self.pending = self.pending, []
            if lines:
                self._print(live.console, lines)
            if lines or everything or time.monotonic() - self._drawn >= IDLE:
                live.refresh()
                self._drawn = time.monotonic()
        except (OSError, ValueError):
            self._stopped.set()
            self.output.fall_silent()

    def _print(self, console: Console, lines: list[Line]) -> None:
        from rich.text import Text

        text = ansi_text(lines) if self.output.colour else plain_text(lines)
        console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)

    def _task_lines(self, task: OpenTask) -> Iterator[Line]:
        """`  Rotate the logs   ok 3  changed 1 (web1)  0.4 s`; a task that all hosts skipped is left out."""
        if set(task.outcomes) <= {"skipped"} and not self.verbosity:
            return
        line: Line = [("", f"  {task.title:<44}")]
        for name, number in task.outcomes.items():
            line.append((name if name != "ok" else "dim", f"  {name} {number}"))
        if task.changed:
            line.append(("dim", f" ({printable(', '.join(task.changed[:4]))}{', …' if len(task.changed) > 4 else ''})"))
        yield [*line, ("dim", f"  {seconds_text(task.slowest)}")]

    def _bottom(self) -> RenderableType:
        from rich.text import Text

        width, now = self.output.width, time.monotonic()
        lines = [f"── {self.state.play} · {self.state.finished} tasks done · {seconds_text(now - self.began)}"]
        lines += [f"   {task.title}  {task.done}/{task.done + len(task.running)}" for task in self._running()[-SHOWN:]]
        waits = self.state.waited_for(now)
        lines += [
            f"   waiting for {printable(host)}: {title}, {seconds:.0f} s" for host, title, seconds in waits[:SHOWN]
        ]
        if not self.output.unicode:
            lines = [line.encode("ascii", "replace").decode().replace("?", "-") for line in lines]
        return Text("\n".join(line[: max(10, width - 1)] for line in lines), style="dim", no_wrap=True)

    def _running(self) -> list[OpenTask]:
        return [task for task in list(self.state.tasks.values()) if task.running]

    def close(self) -> None:
        """Give the terminal back. Safe to call twice; needed where a run ends without RunFinished."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)
        with self._lock:
            live, self._live = self._live, None
            if live is not None:
                self._draw(live, everything=True)
                try:
                    live.stop()
                except (OSError, ValueError):
                    self.output.fall_silent()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """The terminal is somebody else's meanwhile: a prompt. The run may end within it."""
        with self._lock:
            self._lent = True
            if self._live is not None:
                self._draw(self._live)
                self._live.stop()
        try:
            yield
        finally:
            with self._lock:
                self._lent = False
                if self._live is not None:
                    self._live.start()

    def _finish(self) -> None:
        self.close()
        lines = summary_lines(self.summary, self.output.width, self.next_step, diffs=not self.diff)
        self.output.write(ansi_text(lines) if self.output.colour else plain_text(lines))
