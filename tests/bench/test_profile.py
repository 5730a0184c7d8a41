"""`opsplay run --profile`: the host's time is the host's, what waited waited, and nothing is counted unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from opsplay.cli.main import cli

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: sleeper
      command: sleep 0.3
    - name: quick
      command: echo {{ word }}
"""


def profiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    monkeypatch.setenv("OPSPLAY_STATE", str(tmp_path / "state"))
    (tmp_path / "hosts").write_text("a ansible_connection=local word=hello\n")
    (tmp_path / "play.yml").write_text(PLAY)
    done = CliRunner().invoke(
        cli, ["run", "--no-history", "-i", str(tmp_path / "hosts"), *more, str(tmp_path / "play.yml")]
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_rows_of_tasks_and_their_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = profiled(tmp_path, monkeypatch, "--profile").splitlines()
    head = next(
        number
        for number, line in enumerate(lines)
        if line.split()[:4] == ["waiting", "network", "remote", "templating"]
    )
    rows = {
        " ".join(line.split()[5:]): [float(number) for number in line.split()[:5]]
        for line in lines[head + 1 :]
        if line.strip()
    }
    assert set(rows) == {"a sleeper", "a quick", "sum"}
    assert 300 <= rows["a sleeper"][2] < 3000  # remote, by the host's own clock
    assert rows["a quick"][2] < 250
    assert rows["sum"][2] == pytest.approx(rows["a sleeper"][2] + rows["a quick"][2], abs=0.3)


def test_not_asked_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "templating" not in profiled(tmp_path, monkeypatch)
