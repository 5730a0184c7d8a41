"""Every way to write YAML wrongly, and what a user reads then: golden/NAME.yml and golden/NAME.txt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.source.yaml_reader import read_yaml

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.yml"))


def test_the_cases_were_found() -> None:
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_error_reads_as_agreed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPSPLAY_GOLDEN=write rewrites the expectations; read the difference before you commit it."""
    monkeypatch.chdir(GOLDEN)
    with pytest.raises(OpsError) as caught:
        read_yaml(f"{name}.yml")
    error = caught.value
    assert error.where is not None and error.where.line and error.where.column and error.remedy
    expected = GOLDEN / f"{name}.txt"
    if os.environ.get("OPSPLAY_GOLDEN") == "write":
        expected.write_text(error.render())
    assert error.render() == expected.read_text()
