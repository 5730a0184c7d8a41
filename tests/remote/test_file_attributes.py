"""Owner, group, mode and flags of files: symbolic modes must do what the machine's own chmod does."""

from __future__ import annotations

import os
import random
import stat
import subprocess
from pathlib import Path

import pytest

from opsplay.remote.file_attributes import (
    apply_attributes,
    desired_attributes,
    observe_attributes,
    symbolic_mode,
    wanted_flags,
    wanted_mode,
)  # fmt: skip
from opsplay.remote.spec import ModuleFailure
from opsplay.remote.system import System

MODES = [
    "u+x", "u=rwx,g=rx,o=", "a+X", "u+rwX,g-w", "+x", "-w", "=r", "g=u", "o=g", "u+s", "g+s", "+t", "a-x,a+X", "u=rw,g=r,o=r",
    "go-rwx", "ug+rw-x", "u=rwX,go=rX", "a=", "g+s,u-s", "u+w+x", "o+t", "ugo=rwx", "a=rx,u+w", "g=u-w", "=", "+rw", "u=,g=", "ug=o",
]  # fmt: skip


@pytest.fixture
def umask() -> object:
    old = os.umask(0o027)
    yield
    os.umask(old)


@pytest.mark.parametrize("isdir", [False, True], ids=["file", "folder"])
@pytest.mark.parametrize("text", MODES)
def test_symbolic_modes_are_those_of_chmod(text: str, isdir: bool, tmp_path: Path, umask: object) -> None:
    path = tmp_path / "x"
    path.mkdir() if isdir else path.touch()
    dice = random.Random(text)
    for _ in range(6):
        old = dice.randrange(0o10000)
        os.chmod(path, old)
        old = stat.S_IMODE(os.stat(path).st_mode)
        subprocess.run(["chmod", "--", text, str(path)], check=False, capture_output=True)
        expected = stat.S_IMODE(os.stat(path).st_mode)
        assert oct(symbolic_mode(text, old, isdir)) == oct(expected), f"{text} on {oct(old)}"


@pytest.mark.parametrize("text", ["u+q", "rwx", "", "u+r,,g+w", "u", "+", "x+r", "0999", "u+rw g+x"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    if text == "+":
        assert symbolic_mode(text, 0o644, False) == 0o644
        return
    with pytest.raises(ModuleFailure):
        wanted_mode(text, {"mode": "0644"})


@pytest.mark.parametrize(
    ("mode", "bits"), [("0644", 0o644), ("644", 0o644), (0o644, 0o644), ("1777", 0o1777), ("0", 0), ("0o750", 0o750)]
)
def test_octal_modes(mode: object, bits: int) -> None:
    assert wanted_mode(mode, {}) == bits


@pytest.mark.parametrize("mode", [True, 1.5, 0o10000, -1, "77777"])
def test_numbers_that_are_no_mode(mode: object) -> None:
    with pytest.raises(ModuleFailure):
        wanted_mode(mode, {})


def test_a_file_is_made_so_once(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch(0o600)
    system = System()
    args = {"owner": str(os.getuid()), "group": os.getgid(), "mode": "u=rw,go=r"}
    observed = observe_attributes(system, str(path))
    wanted = desired_attributes(system, args, str(path), observed)
    assert wanted["mode"] == "0644"
    assert (wanted["owner"], wanted["group"]) == (observed["owner"], observed["group"])
    apply_attributes(system, str(path), {key: value for key, value in wanted.items() if observed[key] != value})
    observed = observe_attributes(system, str(path))
    assert observed["mode"] == "0644"
    assert desired_attributes(system, args, str(path), observed).items() <= observed.items()


def test_preserve_asks_for_nothing(tmp_path: Path) -> None:
    assert (
        desired_attributes(System(), {"mode": "preserve"}, str(tmp_path), observe_attributes(System(), str(tmp_path)))
        == {}
    )


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch(0o600)
    link.symlink_to(target)
    system = System()
    observed = observe_attributes(system, str(link))
    assert observed["islink"] is True
    assert desired_attributes(system, {"mode": "0777"}, str(link), observed) == {}
    apply_attributes(system, str(link), {"mode": "0777"}, follow=False)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_unknown_users_fail_except_in_check_mode_where_the_file_is_to_be_made(tmp_path: Path) -> None:
    observed = observe_attributes(System(), str(tmp_path))
    with pytest.raises(ModuleFailure, match="failed to look up user nobody-of-that-name"):
        desired_attributes(System(), {"owner": "nobody-of-that-name"}, str(tmp_path), observed)
    with pytest.raises(ModuleFailure, match="failed to look up user nobody-of-that-name"):
        desired_attributes(System(check=True), {"owner": "nobody-of-that-name"}, str(tmp_path), observed)
    system = System(check=True)
    wanted = desired_attributes(system, {"owner": "nobody-of-that-name", "group": "23456"}, str(tmp_path / "new"), {})
    assert wanted == {"owner": "nobody-of-that-name", "group": "23456"}
    assert [text.partition(".")[0] for text in system.warnings] == [
        "failed to look up user nobody-of-that-name", "failed to look up group with gid 23456",
    ]  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owner_changes_keep_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    path.chmod(0o4755)
    system = System()
    observed = observe_attributes(system, str(path))
    wanted = desired_attributes(system, {"owner": 12345, "group": "23456", "mode": "4755"}, str(path), observed)
    assert (wanted["owner"], wanted["group"]) == ("12345", "23456")
    apply_attributes(system, str(path), wanted)
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 23456, 0o4755)


@pytest.mark.parametrize(
    ("asked", "old", "flags"),
    [("+i", "e", "ei"), ("-i", "aei", "ae"), ("=a", "ei", "ae"), ("ai", "", "ai"), ("=", "ei", "e")],
)
def test_flags(asked: str, old: str, flags: str) -> None:
    assert wanted_flags(asked, old) == flags
