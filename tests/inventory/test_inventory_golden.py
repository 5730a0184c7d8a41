"""Inventories that are wrong, and what a user reads then: golden/NAME.* and golden/NAME.txt. Fault row 11 among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.inventory.load import load_inventory

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path.name for path in GOLDEN.iterdir() if path.suffix != ".txt")


def test_the_cases_were_found() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("name", FILES)
def test_error_reads_as_agreed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPSPLAY_GOLDEN=write rewrites the expectations; read the difference before you commit it."""
    monkeypatch.chdir(GOLDEN)
    monkeypatch.setattr("opsplay.inventory.plugins.ansible_inventory", lambda: None)  # whatever this machine has
    with pytest.raises(OpsError) as caught:
        load_inventory([name])
    error = caught.value
    assert error.where is not None and error.remedy
    if not name.endswith(".sh"):
        assert error.where.line and error.where.column
    expected = GOLDEN / f"{name}.txt"
    if os.environ.get("OPSPLAY_GOLDEN") == "write":
        expected.write_text(error.render() + "\n")
    assert error.render() + "\n" == expected.read_text()
