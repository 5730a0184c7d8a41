"""ansible-pull: a repository is checked out, and a playbook of it runs on this host."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

PLAY = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: {msg: '%s {{ extra | default() }}'}\n"


@pytest.fixture
def repository(tmp_path: Path, write: Callable[[str, str], Path]) -> Path:
    write("repo/local.yml", PLAY % "of local.yml")
    write("repo/other.yml", PLAY % "of other.yml")
    commit(tmp_path / "repo", init=True)
    return tmp_path / "repo"


def commit(folder: Path, init: bool = False) -> None:
    who = ("-c", "user.email=a@example.com", "-c", "user.name=A")
    for arguments in (*([("init", "-q")] if init else []), ("add", "."), (*who, "commit", "-q", "-m", "change")):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)


@pytest.fixture
def pull(drop_in: Callable[..., Ran], repository: Path, tmp_path: Path) -> Callable[..., Ran]:
    def run(*arguments: str) -> Ran:
        return drop_in("ansible-pull", "-U", str(repository), "-d", str(tmp_path / "out"), *arguments)

    return run


def test_local_yml_runs_from_the_checkout(pull: Callable[..., Ran], tmp_path: Path) -> None:
    ran = pull()
    assert ran.code == 0, ran.err
    assert "localhost | CHANGED" in ran.out and "of local.yml" in ran.out
    assert (tmp_path / "out/local.yml").exists()


def test_playbooks_and_what_is_handed_on(pull: Callable[..., Ran]) -> None:
    ran = pull("other.yml", "local.yml", "-e", '{"extra": "given"}', "--tags", "untagged")
    assert ran.code == 0, ran.err
    assert ran.out.index("of other.yml given") < ran.out.index("of local.yml given")


def test_only_if_changed(pull: Callable[..., Ran], repository: Path, write: Callable[[str, str], Path]) -> None:
    assert "of local.yml" in pull("-o").out
    again = pull("-o")
    assert again.code == 0 and "Repository has not changed, quitting." in again.out and "of local.yml" not in again.out
    write("repo/more", "x")
    commit(repository)
    assert "of local.yml" in pull("-o").out


def test_a_repository_that_cannot_be_had(pull: Callable[..., Ran], repository: Path) -> None:
    pull()
    repository.rename(repository.parent / "away")
    failed = pull()
    assert failed.code == 2 and "of local.yml" not in failed.out
    forced = pull("--force")
    assert forced.code == 0 and "of local.yml" in forced.out and "(forced) run" in forced.err


def test_purge_removes_the_checkout(pull: Callable[..., Ran], tmp_path: Path) -> None:
    assert pull("--purge").code == 0
    assert not (tmp_path / "out").exists() and (tmp_path / "repo").exists()


def test_a_playbook_that_is_not_there(pull: Callable[..., Ran]) -> None:
    ran = pull("none.yml")
    assert ran.code == 1 and "Could not find a playbook to run: none.yml" in ran.err


def test_the_settings_of_the_repository_hold(
    pull: Callable[..., Ran], repository: Path, write: Callable[[str, str], Path]
) -> None:
    write("repo/ansible.cfg", "[defaults]\ninventory = inv\n")
    write("repo/inv", "localhost extra=of_inventory\n")
    write("repo/local.yml", (PLAY % "of local.yml") + "    - ping:\n")
    commit(repository)
    assert "of local.yml of_inventory" in pull().out


def test_a_url_is_needed(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-pull")
    assert ran.code == 2 and "URL for repository not specified" in ran.err
