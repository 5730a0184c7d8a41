"""plugin_filters_cfg: modules that a site rejects are not found, by any of their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.model.catalog import Catalog
from opsplay.model.rejecting import rejected_modules
from tests.engine.playing import play


def listed(folder: Path, text: str) -> frozenset[str]:
    (folder / "filters.yml").write_text(text)
    return rejected_modules(str(folder / "filters.yml"), lambda text: None)


def test_rejected_modules_and_actions_are_not_found(tmp_path: Path) -> None:
    catalog = Catalog(
        rejected=listed(tmp_path, "filter_version: 1.0\nmodule_rejectlist: [copy, tempfile, ansible.builtin.pause]\n")
    )
    for name in ("copy", "ansible.builtin.copy", "ansible.legacy.tempfile", "pause"):
        assert catalog.find(name) is None
    assert catalog.find("file") is not None
    assert not catalog.names() & {"copy", "tempfile", "pause"}


def test_a_list_may_be_empty_and_a_file_missing(tmp_path: Path) -> None:
    said: list[str] = []
    assert listed(tmp_path, "filter_version: '1.0'\nmodule_rejectlist:\n") == frozenset()
    assert rejected_modules(str(tmp_path / "none.yml"), said.append) == frozenset()
    assert said == [f"The plugin filter file, {tmp_path}/none.yml does not exist. Skipping."]
    assert rejected_modules(None, said.append) == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("filter_version: 1.0\nmodule_rejectlist: [stat]\n", "Please remove stat from the reject list"),
        ("module_rejectlist: [copy]\n", "filter_version"),
        ("filter_version: 2.0\nmodule_rejectlist: [copy]\n", "filter_version"),
        ("filter_version: 1.0\nmodule_rejectlist: copy\n", "a list of names"),
        ("[copy]", "no mapping"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OpsError, match=said):
        listed(tmp_path, text)


def test_a_play_with_a_rejected_module_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "filters.yml").write_text("filter_version: 1.0\nmodule_rejectlist: [ping]\n")
    (tmp_path / "play.yml").write_text("- hosts: localhost\n  gather_facts: false\n  tasks: [{ping: }]\n")
    played = play(tmp_path, settings={"plugin_filters_cfg": str(tmp_path / "filters.yml")})
    assert played.error is not None and played.error.code == "unknown-module"
    assert played.events == []
