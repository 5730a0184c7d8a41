"""Playbooks in collections: found by their full name, and at home in their collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.model.collection_places import collection_of, collection_playbook
from tests.engine.playing import play

MODULE = "#!/usr/bin/python\nimport json\nprint(json.dumps({'changed': False, 'msg': 'of the collection'}))\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "col" / "ansible_collections" / "acme" / "tools"
    for name, text in {
        "plugins/modules/own.py": MODULE,
        "playbooks/site.yml": "- hosts: localhost\n  gather_facts: false\n  tasks: [{own: }]\n  roles: [r]\n",
        "playbooks/sub/other.yaml": "- hosts: localhost\n  gather_facts: false\n  tasks: [{own: }]\n",
        "roles/r/tasks/main.yml": "- own:\n- debug: {msg: in the role}\n",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home


def test_a_playbook_by_its_full_name(home: Path, tmp_path: Path) -> None:
    bases = ["/nowhere", str(tmp_path / "col")]
    for name in ("acme.tools.site", "acme.tools.site.yml"):
        assert collection_playbook(name, bases) == home / "playbooks/site.yml"
    assert collection_playbook("acme.tools.sub.other", bases) == home / "playbooks/sub/other.yaml"
    for name in (
        "site.yml",
        "acme.tools",
        "acme.tools.none",
        "acme.tools..site",
        "./acme.tools.site",
        "acme.tools.sub/other",
    ):
        assert collection_playbook(name, bases) is None


def test_the_collection_of_a_path(home: Path) -> None:
    assert collection_of(home / "playbooks/site.yml") == "acme.tools"
    assert collection_of(home.parent) == ""
    assert collection_of(Path("/srv/site.yml")) == ""


def test_a_playbook_of_a_collection_knows_its_modules_and_roles_by_short_names(home: Path, tmp_path: Path) -> None:
    played = play(home / "playbooks", playbooks=["site.yml"], settings={"collections_path": (str(tmp_path / "col"),)})
    assert (played.code, played.said()) == (
        0,
        ["localhost: of the collection", "localhost: in the role", "localhost: of the collection"],
    )


def test_import_playbook_by_its_full_name(home: Path, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(
        "- import_playbook: acme.tools.site\n- import_playbook: acme.tools.sub.other.yaml\n"
    )
    played = play(tmp_path, settings={"collections_path": (str(tmp_path / "col"),)})
    assert played.code == 0
    assert played.said().count("localhost: of the collection") == 3


def test_a_role_of_a_collection_knows_its_modules_by_short_names(home: Path, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text("- hosts: localhost\n  gather_facts: false\n  roles: [acme.tools.r]\n")
    played = play(tmp_path, settings={"collections_path": (str(tmp_path / "col"),)})
    assert played.said() == ["localhost: of the collection", "localhost: in the role"]
