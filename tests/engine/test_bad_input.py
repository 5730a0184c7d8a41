"""Bad input: every mistake is told with its place, cause and remedy before any host is touched. UPDATE_GOLDEN=1 writes the texts anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from tests.engine.playing import play, write_inventory

BAD = Path(__file__).parent / "bad"
PLACELESS = {"playbook-missing", "limit-unknown", "inventory-missing", "extra-vars-file-missing", "start-at-unknown", "group-unknown",
             "extra-vars-bad", "extra-vars-list"}  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.iterdir()))
def test_bad_input(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    shutil.copytree(BAD / name, tmp_path, dirs_exist_ok=True)
    asked = yaml.safe_load((BAD / name / "run.yml").read_text()) if (BAD / name / "run.yml").exists() else {}
    asked["extra"] = [item.replace("@", f"@{tmp_path}/") for item in asked.get("extra", [])]
    inventory = asked.pop("inventory", None) or [write_inventory(tmp_path, ["h1", "h2"])]
    inventory = [str(tmp_path / source) for source in inventory]
    played = play(tmp_path, inventory=inventory, **asked)
    assert played.error is not None, played.trace()
    told = played.error.render().replace(str(tmp_path), "HERE")
    assert (played.code, played.connected, played.trace()) == (1, [], []), told
    golden = BAD / name / "told.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(told)
    assert told == golden.read_text()
    assert "^" in told or name in PLACELESS
    assert told.count("\n  ") >= 2, "an error has a cause and a remedy"
