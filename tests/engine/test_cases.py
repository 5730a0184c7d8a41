"""Every folder of cases/ is a playbook and what Ansible documents of it: exit code, counts, order, texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opsplay.events import HandlerNotified, Included, Notice, Retrying, StatsSet
from tests.engine.playing import Played, play_case, texts

CASES = Path(__file__).parent / "cases"
KNOWN = {"run", "code", "counts", "trace", "started", "said", "labels", "contains", "absent", "results", "notices", "retries",
         "notified", "included", "files", "stats", "sorted", "error", "connected", "times"}  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_case(name: str, tmp_path: Path) -> None:
    played, expect = play_case(CASES / name, tmp_path)
    assert set(expect) <= KNOWN
    told = played.error.render() if played.error else ""
    assert played.code == expect.get("code", 0), f"{told}\n{played.trace()}\n{played.said()}"
    shown = {key: check(played, key, expect, tmp_path) for key in expect if key not in ("run", "code", "sorted")}
    wanted = {key: expect[key] for key in shown}
    if expect.get("sorted"):
        shown, wanted = in_order(shown), in_order(wanted)
    assert shown == wanted


def in_order(found: dict[str, Any]) -> dict[str, Any]:
    return {key: sorted(value, key=str) if isinstance(value, list) else value for key, value in found.items()}


def check(played: Played, key: str, expect: dict[str, Any], folder: Path) -> Any:
    """What the run gave for a key of expect.yml, in the same shape."""
    wanted = expect[key]
    whole = texts(played.events)
    match key:
        case "counts" | "trace" | "started" | "said" | "labels":
            return getattr(played, key)()
        case "contains":
            return [text for text in wanted if text in whole]
        case "absent":
            return [text for text in wanted if text not in whole]
        case "results":
            return {place: {name: picked(played.result(*place.split(" ", 1)), name) for name in fields} for place, fields in wanted.items()}
        case "notices":
            given = [event.message for event in played.events if isinstance(event, Notice)]
            return [text for text in wanted if any(text in message for message in given)]
        case "times":
            told = [event.message for event in played.events if isinstance(event, Notice)]
            return {text: sum(text in message for message in told) for text in wanted}
        case "retries":
            return sum(isinstance(event, Retrying) for event in played.events)
        case "notified":
            return [f"{event.host} {event.handler}" for event in played.events if isinstance(event, HandlerNotified)]
        case "included":
            return [f"{Path(event.path).name} {','.join(event.hosts)}" for event in played.events if isinstance(event, Included)]
        case "stats":
            return [{event.host: dict(event.data)} for event in played.events if isinstance(event, StatsSet)]
        case "error":
            told = played.error.render() if played.error else ""
            return [text for text in wanted if text in told]
        case "connected":
            return sorted(set(played.connected))
    return {path: (folder / path).read_text() if (folder / path).exists() else None for path in wanted}


def picked(result: dict[str, Any], name: str) -> Any:
    """`results.0.item`: a value deep in a result; None where there is none."""
    value: Any = result
    for part in name.split("."):
        value = value[int(part)] if isinstance(value, list) else value.get(part) if isinstance(value, dict) else None
    return value
