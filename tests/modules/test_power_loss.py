"""Fault row 20: the power goes at each step of a write, on a real ext4; the file is the old or the new one."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import is_root

from opsplay.remote import atomic_write
from opsplay.remote.system import System

pytestmark = pytest.mark.skipif(not is_root(), reason="mounting needs root")
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
LOG_FLUSHED, LOG_LOST = 1, 2
OLD, NEW = b"old\n" * 5000, b"new\n" * 7000


class PowerCut(BaseException):
    pass


class CountingOs:
    """The os module for atomic_write: after `steps` calls that change something, the disk stops taking writes."""

    CHANGES = frozenset({"open", "write", "fsync", "rename", "fchown", "fchmod", "setxattr"})

    def __init__(self, folder: Path, steps: int, flag: int) -> None:
        self.folder, self.left, self.flag, self.done = folder, steps, flag, 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return real if name not in self.CHANGES else lambda *args, **more: self.counted(real, *args, **more)

    def counted(self, real: Any, *args: Any, **more: Any) -> Any:
        if self.left == self.done:
            cut(self.folder, self.flag)
            raise PowerCut
        self.done += 1
        return real(*args, **more)


def cut(folder: Path, flag: int) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", flag))
    finally:
        os.close(fd)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with open(image, "wb") as handle:
        handle.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    mount(image, folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def mount(image: Path, folder: Path) -> None:
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)


def write_until_power_goes(folder: Path, steps: int, flag: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the power went; False when the write was done before."""
    with monkeypatch.context() as patch:
        patch.setattr(atomic_write, "os", CountingOs(folder, steps, flag))
        try:
            System().write(str(folder / "f"), NEW)
        except PowerCut:
            return True
    return False


@pytest.mark.parametrize("flag", [LOG_FLUSHED, LOG_LOST], ids=["journal kept", "journal lost"])
def test_the_power_goes_at_each_step(flag: int, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = disk.parent / "image"
    seen: list[bytes] = []
    for steps in range(100):
        (disk / "f").write_bytes(OLD)
        os.sync()
        went = write_until_power_goes(disk, steps, flag, monkeypatch)
        if not went:
            cut(disk, flag)  # the write has returned: from here on it must be the new one
        subprocess.run(["umount", disk], check=True)
        mount(image, disk)
        content = (disk / "f").read_bytes()
        assert content in (OLD, NEW), f"after {steps} steps: {len(content)} bytes, neither old nor new"
        seen.append(content)
        if not went:
            break
    assert seen[-1] == NEW, "a write that has returned survives"
    assert seen[0] == OLD and len(seen) > 5, seen
    print(f"{len(seen)} points, {seen.count(OLD)} old, {seen.count(NEW)} new")
    System().write(str(disk / "f"), NEW)
    assert sorted(os.listdir(disk)) == ["f", "lost+found"], "the next write leaves no stray files"
