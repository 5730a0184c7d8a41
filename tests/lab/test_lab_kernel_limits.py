"""The one machine setting that a big lab raises comes back with the last lab."""

from pathlib import Path

import pytest

from opsplay.lab import kernel_limits


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "limit").write_text("128\n")
    monkeypatch.setattr(kernel_limits, "LIMIT", tmp_path / "limit")
    monkeypatch.setattr(kernel_limits, "BEFORE", tmp_path / "before")
    standing(monkeypatch, [])
    return tmp_path


def standing(monkeypatch: pytest.MonkeyPatch, labs: list[str]) -> None:
    monkeypatch.setattr(kernel_limits, "other_labs", lambda: labs)


def test_a_small_lab_alone_changes_nothing(machine: Path) -> None:
    kernel_limits.raise_limit(4, pytest.fail)
    assert (machine / "limit").read_text() == "128\n"


def test_a_big_lab_raises_it_and_the_last_one_restores_it(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    kernel_limits.raise_limit(20, said.append)
    assert (machine / "limit").read_text() == "8192\n"
    assert "from 128 to 8192" in said[0]
    standing(monkeypatch, ["oplabc123"])
    kernel_limits.restore_limit()
    assert (machine / "limit").read_text() == "8192\n"
    standing(monkeypatch, [])
    kernel_limits.restore_limit()
    assert (machine / "limit").read_text() == "128\n"
    assert not (machine / "before").exists()


def test_many_small_labs_are_one_big_one(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standing(monkeypatch, ["oplabc123"])
    kernel_limits.raise_limit(2, lambda line: None)
    assert (machine / "limit").read_text() == "8192\n"
