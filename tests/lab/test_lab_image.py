"""The image: what its build says when it fails, and what it needs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.lab import image, needs


def test_a_failed_build_shows_the_end_of_its_log(tmp_path: Path) -> None:
    program = "seq 1 100; echo 'E: no such mirror' >&2; exit 7"
    with pytest.raises(OpsError) as raised:
        image.build(["sh", "-c", program], tmp_path / "build.log")
    assert raised.value.code == "lab-image-build-failed"
    assert "ended with 7" in raised.value.message
    assert raised.value.message.rstrip().endswith("E: no such mirror")
    assert "100\n" in raised.value.message and "\n50\n" not in raised.value.message


def test_an_interrupted_build_is_not_taken_for_a_layer(tmp_path: Path) -> None:
    (tmp_path / "debian-1234.building" / "root").mkdir(parents=True)
    image.remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_layers_out_of_use_go_and_those_in_use_stay(tmp_path: Path) -> None:
    for name, days in {"old-1": 30, "new-2": 1}.items():
        (tmp_path / name).mkdir()
        mark = tmp_path / f"{name}.used"
        mark.touch()
        os.utime(mark, (time.time() - days * 86400,) * 2)
    image.remove_unused(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new-2", "new-2.used"]


def test_a_changed_seed_is_another_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.digest(image.seed_texts())
    (tmp_path / "common.py").write_text("pass\n")
    monkeypatch.setattr(image, "SEED", tmp_path)
    assert image.digest(image.seed_texts()) != before


def test_missing_programs_become_packages_each_named_once() -> None:
    programs = {"sh": "dash", "no-such-program": "some-package", "nor-this": "some-package"}
    assert needs.missing_packages(programs) == ["some-package"]


def test_packages_that_cannot_be_installed_are_named_with_the_remedy() -> None:
    error = needs.needs_packages(["mmdebstrap"], "apt-get could not install them")
    assert error.code == "lab-needs-packages"
    assert "apt-get install mmdebstrap" in error.remedy
    assert "--reduced" in error.remedy
