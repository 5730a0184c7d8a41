"""Runs the command lines in this process: what they print, and their exit codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of our own, no settings of the developer, no inventory but the one given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OPSPLAY_STATE", str(tmp_path / "state"))
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_INVENTORY", "ANSIBLE_LIBRARY", "ANSIBLE_FORKS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def opsplay(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    from opsplay.cli.main import guarded

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = guarded(list(arguments))
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def drop_in(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """A program of Ansible: drop_in("ansible-playbook", "-i", ...)."""
    from opsplay.cli.ansible import guarded

    def run(name: str, *arguments: str) -> Ran:
        capfd.readouterr()
        code = guarded(name, list(arguments))
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put
