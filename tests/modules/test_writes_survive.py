"""Fault rows 20, 21 and 23: whatever happens while a file is written, it is the old or the new one, and alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import Bench, is_root

from opsplay.remote.modules import _copy, lineinfile
from opsplay.remote.perform import perform
from opsplay.remote.spec import Args
from opsplay.remote.system import System

OLD, NEW = b"old\n" * 50_000, b"new\n" * 60_000
KILLS = 100
as_root = pytest.mark.skipif(not is_root(), reason="mounting needs root")


def defaults(module: Any, **given: Any) -> Args:
    return Args({name: argument.default for name, argument in module.SPEC.args.items()}, **given)


def copy_for_ever(path: Path) -> None:
    while True:
        for content in (NEW, OLD):
            result = perform(_copy, System(body=content), defaults(_copy, dest=str(path), mode="0640"))
            assert not result.get("failed"), result


def in_child(work: Any, *arguments: Any) -> int:
    child = os.fork()
    if child == 0:
        try:
            work(*arguments)
        finally:
            os._exit(1)
    return child


def test_killed_at_any_moment_the_file_is_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(OLD)
    path.chmod(0o640)
    dice = random.Random(20)
    seen: set[bytes] = set()
    stop = threading.Event()
    torn: list[int] = []

    def read_on() -> None:
        while not stop.is_set():
            content = path.read_bytes()
            if content not in (OLD, NEW):
                torn.append(len(content))

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        for _ in range(KILLS):
            child = in_child(copy_for_ever, path)
            time.sleep(dice.uniform(0.0, 0.03))
            os.kill(child, signal.SIGKILL)
            assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "the writer ended by itself"
            content = path.read_bytes()
            assert content in (OLD, NEW), f"{len(content)} bytes, neither old nor new"
            assert path.stat().st_mode & 0o777 == 0o640
            seen.add(content)
    finally:
        stop.set()
        reader.join()
    assert not torn, f"a reader saw {len(torn)} torn files"
    assert seen == {OLD, NEW}, "the kills hit no write"
    perform(_copy, System(body=b"last\n"), defaults(_copy, dest=str(path)))
    assert sorted(os.listdir(tmp_path)) == ["f"], "the next write leaves no stray files of killed ones"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path, free: int) -> None:
    """Leaves about `free` bytes."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    space = os.statvfs(disk)
    with open(filler, "wb") as handle:
        handle.write(b"x" * max(0, space.f_bavail * space.f_frsize - free))


WRITERS: dict[str, dict[str, Any]] = {
    "lineinfile": {"path": "f", "line": "x" * 20_000, "backup": True},
    "blockinfile": {"path": "f", "block": "x" * 20_000},
    "replace": {"path": "f", "regexp": "a", "replace": "x" * 20_000},
    "ini_file": {"path": "f", "section": "s", "option": "o", "value": "x" * 20_000},
    "copy": {"dest": "f", "content": "x" * 30_000},
    "template": {"dest": "f", "src": "t.j2"},
    "assemble": {"dest": "f", "src": "parts", "remote_src": False},
    "get_url": {"dest": "f", "url": "big", "force": True},
    "unarchive": {"dest": ".", "src": "a.tar"},
    "archive": {"dest": "f", "path": ["/usr/share/common-licenses"], "format": "tar"},
}


@as_root
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file(name: str, small_disk: Path, local_bench: Bench, tmp_path: Path, web: str) -> None:
    args = {key: str(small_disk / value) if key in ("path", "dest") and isinstance(value, str) else value for key, value in WRITERS[name].items()}
    if "url" in args:
        args["url"] = f"{web}/big"
    source = tmp_path / "source"
    (source / "parts").mkdir(parents=True)
    (source / "parts" / "1").write_text("x" * 30_000)
    (source / "t.j2").write_text("x" * 30_000)
    (source / "f").write_text("x" * 30_000)
    subprocess.run(["tar", "cf", "a.tar", "f"], cwd=source, check=True)
    old = b"a\n" * 100
    refused = 0
    for free in (0, 4096, 8192, 16384):
        (small_disk / "f").write_bytes(old)
        fill(small_disk, free)
        result = local_bench.run(name, args, False, source, {})
        assert sorted(os.listdir(small_disk)) == ["f", "filler"], f"something is left over: {result}"
        assert result.get("failed"), result
        assert "No space left on device" in result["msg"] or "what is free" in result["msg"], result["msg"]
        assert (small_disk / "f").read_bytes() == old
        refused += 1
    assert refused == 4


@as_root
def test_a_bind_mounted_file_is_refused_and_written_in_place_when_asked(tmp_path: Path, local_bench: Bench) -> None:
    mounted, source = tmp_path / "mounted", tmp_path / "source"
    mounted.write_text("")
    source.write_text("a\n")
    subprocess.run(["mount", "--bind", source, mounted], check=True)
    try:
        result = local_bench.run("lineinfile", {"path": str(mounted), "line": "b"}, False, tmp_path, {})
        assert result["failed"] and "unsafe_writes" in result["msg"], result
        assert source.read_text() == "a\n"
        result = local_bench.run("lineinfile", {"path": str(mounted), "line": "b", "unsafe_writes": True}, False, tmp_path, {})
        assert result["changed"] and source.read_text() == "a\nb\n", result
        assert sorted(os.listdir(tmp_path)) == ["mounted", "source"]
    finally:
        subprocess.run(["umount", mounted], check=True)


@as_root
def test_an_immutable_file_is_refused(tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "f"
    path.write_text("a\n")
    subprocess.run(["chattr", "+i", path], check=True)
    try:
        for name, args in {"lineinfile": {"path": str(path), "line": "b"}, "copy": {"dest": str(path), "content": "b"}}.items():
            result = local_bench.run(name, args, False, tmp_path, {})
            assert result["failed"] and "not permitted" in result["msg"], result
        assert path.read_text() == "a\n" and os.listdir(tmp_path) == ["f"]
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


@as_root
def test_a_folder_that_may_only_be_written_is_enough() -> None:
    """A drop box: mode 0333, and a user who is not root."""
    import tempfile

    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        box = Path(top) / "box"
        box.mkdir()
        os.chown(box, 65534, 65534)
        box.chmod(0o333)

        def as_nobody() -> None:
            os.setuid(65534)
            System().write(str(box / "f"), b"new")
            System().chmod(str(box / "f"), 0o600)
            os._exit(0)

        assert os.waitpid(in_child(as_nobody), 0)[1] == 0
        assert (box / "f").read_bytes() == b"new" and (box / "f").stat().st_mode & 0o777 == 0o600


def test_the_other_name_of_a_hard_linked_file_keeps_the_old_content(tmp_path: Path) -> None:
    """Replacing is what makes a write atomic; it parts the two names, as documented."""
    path, other = tmp_path / "f", tmp_path / "other"
    path.write_text("a\n")
    os.link(path, other)
    result = perform(lineinfile, System(), defaults(lineinfile, path=str(path), line="b"))
    assert result["changed"] and path.read_text() == "a\nb\n" and other.read_text() == "a\n"
