"""Fault row 20: the power goes at each step of a write, on a real ext4; the file is the old or the new one."""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import is_root

from opsplay.remote import atomic_write, received
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


def at_once(path: Path) -> None:
    System().write(str(path), NEW)


def in_pieces(path: Path) -> None:
    token = secrets.token_hex(12)
    coming = received.begin(token, str(path.parent), path.name)
    for offset in range(0, len(NEW), 10_000):
        coming.add(offset, NEW[offset : offset + 10_000])
    System().write(str(path), coming)
    assert coming.is_at(path.stat())


def write_until_power_goes(write: Callable[[Path], None], folder: Path, steps: int, flag: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the power went; False when the write was done before."""
    with monkeypatch.context() as patch:
        counting = CountingOs(folder, steps, flag)
        patch.setattr(atomic_write, "os", counting)
        patch.setattr(received, "os", counting)
        try:
            write(folder / "f")
        except PowerCut:
            for coming in received._coming.values():
                if coming.placed is None:
                    coming.settle()  # closes it, and leaves the file
            received._coming.clear()
            return True
    return False


@pytest.mark.parametrize("write", [at_once, in_pieces])
@pytest.mark.parametrize("flag", [LOG_FLUSHED, LOG_LOST], ids=["journal kept", "journal lost"])
def test_the_power_goes_at_each_step(write: Callable[[Path], None], flag: int, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = disk.parent / "image"
    seen: list[bytes] = []
    for steps in range(100):
        (disk / "f").write_bytes(OLD)
        os.sync()
        went = write_until_power_goes(write, disk, steps, flag, monkeypatch)
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
