"""What takes long is said, now and then, where the progress is plain lines."""

import io
import time

from opsplay.events import HostFinished, RunFinished, RunStarted, TaskStarted
from opsplay.report.output import Output
from opsplay.report.plain import PlainProgress
from opsplay.report.summary import RunSummary
from opsplay.report.waits import Waits

START = RunStarted(0, "r1", ("p.yml",), (), ("db1", "web1"), "me", "here", (), False, False, "1")
TASK = TaskStarted(0, "t1", "Upgrade", "apt", "p.yml:1:1", role="patching", hosts=("db1", "web1"))


def end(host: str) -> HostFinished:
    return HostFinished(0, "t1", host, "ok", {}, 1.0)


def test_a_host_that_is_waited_for_is_named_ever_more_seldom() -> None:
    said: list[tuple[str, str, float]] = []
    waits = Waits(lambda *wait: said.append(wait), first=0.3, tick=0.02)
    for event in (START, TASK, end("web1")):
        waits(event)
    time.sleep(0.15)
    assert said == []
    time.sleep(1.5)
    waits(end("db1"))
    told = list(said)
    assert {wait[:2] for wait in told} == {("db1", "patching : Upgrade")}
    assert 2 <= len(told) <= 3 and told[0][2] >= 0.3 and told[1][2] >= 2 * told[0][2]
    time.sleep(0.2)
    assert said == told, "nothing once it is over"
    waits.close()


def test_the_line_of_the_plain_progress() -> None:
    out = io.StringIO()
    shown = PlainProgress(Output(out), Output(io.StringIO()), RunSummary())
    shown.waits._first = shown.waits._tick = 0.05
    for event in (START, TASK):
        shown(event)
    time.sleep(0.4)
    shown.close()
    assert "waiting for db1: patching : Upgrade, 0 s\n" in out.getvalue()
    quiet = PlainProgress(Output(io.StringIO()), Output(io.StringIO()), RunSummary(), quiet=True)
    quiet._say_waiting("db1", "Upgrade", 40)
    assert quiet.output.stream is not None and quiet.output.stream.getvalue() == ""  # type: ignore[attr-defined]
    shown(RunFinished(0, "r1", "ok", 0, 1.0))
