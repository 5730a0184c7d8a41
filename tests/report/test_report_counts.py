"""Ansible's counting rules, one case each."""

import pytest

from opsplay.events import HostFinished
from opsplay.report.counts import Counts, total


def counted(*events: HostFinished) -> dict[str, int]:
    counts = Counts()
    for event in events:
        counts.add(event)
    return {name: number for name, number in counts.as_json().items() if number}


def end(status: str, **more: object) -> HostFinished:
    result = more.pop("result", {})
    return HostFinished(at=1.0, task_id="t", host="h", status=status, result=result, duration=0.1, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (end("ok"), {"ok": 1}),
        (end("changed"), {"ok": 1, "changed": 1}),
        (end("skipped"), {"skipped": 1}),
        (end("failed"), {"failed": 1}),
        (end("failed", rescued=True), {"rescued": 1}),
        (end("failed", ignored=True), {"ok": 1, "ignored": 1}),
        (end("failed", ignored=True, result={"changed": True}), {"ok": 1, "changed": 1, "ignored": 1}),
        (end("unreachable"), {"unreachable": 1}),
        (end("unreachable", ignored=True), {"ok": 1, "ignored": 1}),
        (end("unknown"), {"unknown": 1}),
        (end("changed", looped=True, result={"results": [{"changed": True}] * 5}), {"ok": 1, "changed": 1}),
    ],
)
def test_one_result(event: HostFinished, expected: dict[str, int]) -> None:
    assert counted(event) == expected


def test_sums_and_states() -> None:
    first, second = Counts(ok=2, changed=1), Counts(ok=1, failed=1, unknown=1)
    assert total([first, second]).as_json() == Counts(ok=3, changed=1, failed=1, unknown=1).as_json()
    states = {Counts().status, Counts(ok=1).status, Counts(skipped=2).status, first.status, second.status}
    assert states == {"ok", "skipped", "changed", "failed"}
    assert Counts(ok=3, unreachable=1).status == "unreachable"
