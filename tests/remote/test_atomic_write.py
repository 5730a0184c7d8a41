"""System.write: the file is OLD or NEW, keeps what it had, and is never written through a link unasked."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from opsplay.remote.spec import ModuleFailure
from opsplay.remote.system import System

ROOT = os.geteuid() == 0


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "opsplay-" in path.name]


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        System().write(str(tmp_path / "x"), b"new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640
    assert (tmp_path / "x").read_bytes() == b"new"


def test_an_old_file_keeps_mode_owner_and_attributes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o4751)
    try:
        os.setxattr(path, "user.note", b"kept")
        attributes = True
    except OSError:
        attributes = False
    if ROOT:
        os.chown(path, 12345, 23456)
        path.chmod(0o4751)
    System().write(str(path), "new ü")
    status = path.stat()
    assert path.read_text() == "new ü"
    assert stat.S_IMODE(status.st_mode) == 0o4751
    assert not ROOT or (status.st_uid, status.st_gid) == (12345, 23456)
    assert not attributes or os.getxattr(path, "user.note") == b"kept"
    assert leftovers(tmp_path) == []


def test_an_acl_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    acl = bytes.fromhex("0200000001000600ffffffff020006003930000004000400ffffffff10000600ffffffff20000400ffffffff")
    try:
        os.setxattr(path, "system.posix_acl_access", acl)  # user 12345 may read and write
    except OSError:
        pytest.skip("the file system has no ACLs")
    before = os.getxattr(path, "system.posix_acl_access")
    System().write(str(path), "new")
    assert os.getxattr(path, "system.posix_acl_access") == before


def test_a_reader_meets_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "x"
    contents = {b"a" * 200_000, b"b" * 100_000}
    path.write_bytes(b"a" * 200_000)
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        for content in contents:
            System().write(str(path), content)
    stop.set()
    reader.join()
    assert seen <= contents


def test_links_are_refused_followed_or_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to("target")
    with pytest.raises(ModuleFailure, match="symbolic link to target"):
        System().write(str(link), "new")
    assert target.read_text() == "old"
    System().write(str(link), "new", links="follow")
    assert link.is_symlink()
    assert target.read_text() == "new"
    System().write(str(link), "newer", links="replace")
    assert not link.is_symlink()
    assert (target.read_text(), link.read_text()) == ("new", "newer")


def test_validation_sees_the_new_content_and_can_refuse_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(ModuleFailure) as caught:
        System().write(str(path), "bad", validate="grep -q good %s")
    assert caught.value.result["exit_status"] == 1
    assert path.read_text() == "old"
    System().write(str(path), "good", validate="grep -q good %s")
    assert path.read_text() == "good"
    with pytest.raises(ModuleFailure, match="%s"):
        System().write(str(path), "x", validate="true")
    assert leftovers(tmp_path) == []


def test_nobody_reads_the_file_before_its_mode_is_set(tmp_path: Path) -> None:
    """Fault row 7: the temporary file is 0600 whatever the umask."""
    modes: list[int] = []

    class Spying(System):
        def run(self, argv, **options):  # type: ignore[no-untyped-def]
            modes.append(stat.S_IMODE(os.stat(argv[-1]).st_mode))
            return super().run(argv, **options)

    old = os.umask(0)
    try:
        Spying().write(str(tmp_path / "x"), "secret", mode=0o644, validate="test -f %s")
    finally:
        os.umask(old)
    assert modes == [0o600]


def test_what_cannot_be_written_leaves_the_old(tmp_path: Path) -> None:
    with pytest.raises(ModuleFailure, match="does not exist"):
        System().write(str(tmp_path / "no" / "x"), "new")
    with pytest.raises(ModuleFailure, match="directory"):
        System().write(str(tmp_path), "new")


@pytest.mark.skipif(not ROOT, reason="mounting needs root")
def test_a_full_disk_leaves_the_old(tmp_path: Path) -> None:
    """Fault row 21."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], check=True)
    try:
        path = tmp_path / "x"
        path.write_bytes(b"old" * 1000)
        with pytest.raises(ModuleFailure, match="No space left on device; the file is as it was"):
            System().write(str(path), b"new" * 200_000)
        assert path.read_bytes() == b"old" * 1000
        assert leftovers(tmp_path) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.skipif(not ROOT, reason="mounting needs root")
def test_a_bind_mounted_file_needs_unsafe_writes(tmp_path: Path) -> None:
    """Fault row 23."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.write_text("")
    outside.write_text("old")
    subprocess.run(["mount", "--bind", str(outside), str(inside)], check=True)
    try:
        with pytest.raises(ModuleFailure, match="unsafe_writes: true"):
            System().write(str(inside), "new")
        assert outside.read_text() == "old"
        System().write(str(inside), "new", unsafe=True)
        assert outside.read_text() == "new"
    finally:
        subprocess.run(["umount", str(inside)], check=True)
    assert leftovers(tmp_path) == []


def test_backups_keep_all(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o640)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    copy = Path(System().backup(str(path)))
    assert copy.name.startswith("x.")
    assert copy.name.endswith("~")
    assert copy.read_text() == "old"
    assert (stat.S_IMODE(copy.stat().st_mode), copy.stat().st_mtime) == (0o640, 1_000_000_000)
    assert System().backup(str(tmp_path / "nothing")) == ""
