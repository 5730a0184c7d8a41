"""Runs a playbook against this machine in a folder of its own; gives each task's result by the task's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Play = Callable[..., dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def put(name: str, text: str | bytes, mode: int = 0o644) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    return put


@pytest.fixture
def play(write: Callable[..., Path]) -> Play:
    """play([tasks], check=True): task name -> result."""
    from opsplay.engine.launch import assemble, execute, prepare
    from opsplay.events import Event, HostFinished, TaskStarted
    from opsplay.settings import load_settings
    from opsplay.variables.store import Options

    def run(tasks: list[dict[str, Any]], check: bool = False, **play_keywords: Any) -> dict[str, Any]:
        book = write("play.yml", json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **play_keywords}]))
        titles: dict[str, str] = {}
        results: dict[str, Any] = {}

        def listen(event: Event) -> None:
            if isinstance(event, TaskStarted):
                titles[event.task_id] = event.task
            if isinstance(event, HostFinished):
                results[titles[event.task_id]] = dict(event.result, status=event.status)

        work = assemble(load_settings({"HOME": str(book.parent)}, book.parent), Options(check=check), playbook_dir=book.parent)
        execute(prepare(work, [str(book)]), [listen])
        return results

    return run
