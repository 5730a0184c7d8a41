"""Fault row 14: whatever an archive or a host says, nothing lands outside the folder that was named."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import world
from bench_context import BenchContext
from workbench import Bench, is_root

from opsplay.actions import fetch
from opsplay.actions.arguments import typed_arguments
from opsplay.errors import OpsError

Build = Callable[[tarfile.TarFile], None]


def add(archive: tarfile.TarFile, name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"evil\n", **more: Any) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    for key, value in more.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(data) if info.size else None)


def through_a_link(archive: tarfile.TarFile) -> None:
    add(archive, "d", tarfile.DIRTYPE)
    add(archive, "l", tarfile.SYMTYPE, "d")
    add(archive, "l/x")


def climbing_links(archive: tarfile.TarFile) -> None:
    add(archive, "a", tarfile.DIRTYPE)
    add(archive, "a/up", tarfile.SYMTYPE, "..")
    add(archive, "out", tarfile.SYMTYPE, "a/up/../..")
    add(archive, "out/evil")


def longer_than_a_path_may_be(archive: tarfile.TarFile) -> None:
    """CVE-2025-4517: links whose expansion is longer than PATH_MAX make realpath stop short of the way out."""
    part, path = "d" * 247, ""
    for step in "abcdefghijklmnop":
        add(archive, os.path.join(path, part), tarfile.DIRTYPE, mode=0o755)
        add(archive, os.path.join(path, step), tarfile.SYMTYPE, part)
        path = os.path.join(path, part)
    long = os.path.join("/".join("abcdefghijklmnop"), "l" * 254)
    add(archive, long, tarfile.SYMTYPE, "../" * 16)
    add(archive, "escape", tarfile.SYMTYPE, long + "/../../..")
    add(archive, "escape/evil")


def link_then_hardlink(archive: tarfile.TarFile) -> None:
    add(archive, "s", tarfile.SYMTYPE, "../../outside")
    add(archive, "h", tarfile.LNKTYPE, "s")


HOSTILE: dict[str, Build] = {
    "dot dot": lambda archive: add(archive, "../evil"),
    "dot dot inside": lambda archive: add(archive, "a/../../evil"),
    "link out": lambda archive: add(archive, "l", tarfile.SYMTYPE, "../../outside"),
    "absolute link": lambda archive: add(archive, "l", tarfile.SYMTYPE, "/etc/passwd"),
    "through a link": through_a_link,
    "climbing links": climbing_links,
    "longer than PATH_MAX": longer_than_a_path_may_be,
    "hard link out": lambda archive: add(archive, "h", tarfile.LNKTYPE, "../outside"),
    "hard link to what is not in it": lambda archive: add(archive, "h", tarfile.LNKTYPE, "planted"),
    "link, then hard link": link_then_hardlink,
    "device": lambda archive: add(archive, "dev", tarfile.BLKTYPE, devmajor=8, devminor=0),
    "character device": lambda archive: add(archive, "dev", tarfile.CHRTYPE, devmajor=1, devminor=3),
    "fifo": lambda archive: add(archive, "fifo", tarfile.FIFOTYPE),
}


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[Path]:
    """outer/in/dest is the target; everything else below outer must stay as it is."""
    top = tmp_path / "outer"
    (top / "in" / "dest").mkdir(parents=True)
    (top / "outside").write_text("precious\n")
    (top / "in" / "dest" / "planted").symlink_to("../../outside")
    yield top


def around(top: Path) -> dict[str, Any]:
    seen = world.fingerprint(str(top))
    return {name: entry for name, entry in seen.items() if not name.startswith("in/dest")}


def unpack(bench: Bench, archive: Path, top: Path) -> dict[str, Any]:
    before, started = around(top), time.monotonic()
    result = bench.run("unarchive", {"src": str(archive), "dest": str(top / "in" / "dest"), "remote_src": True}, False, top, {})
    assert time.monotonic() - started < 5
    assert around(top) == before, f"something outside has changed: {result}"
    assert (top / "outside").read_text() == "precious\n"
    return result


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tar_is_refused(name: str, outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        HOSTILE[name](archive)
    result = unpack(local_bench, path, outer)
    assert result.get("failed"), result


def test_a_link_that_is_there_already_is_not_followed(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    (outer / "elsewhere").mkdir()
    (outer / "in" / "dest" / "sub").symlink_to("../../elsewhere")
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        add(archive, "sub/evil")
    assert unpack(local_bench, path, outer)["failed"]
    assert os.listdir(outer / "elsewhere") == []


def test_a_file_replaces_a_link_and_not_its_target(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        add(archive, "planted", data=b"mine\n")
    assert unpack(local_bench, path, outer)["changed"]
    assert not (outer / "in" / "dest" / "planted").is_symlink()


def test_an_absolute_name_lands_inside(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        add(archive, f"{outer}/evil")
    assert unpack(local_bench, path, outer)["changed"]
    assert (outer / "in" / "dest" / str(outer).lstrip("/") / "evil").read_text() == "evil\n"


def test_set_id_bits_are_dropped(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        add(archive, "tool", mode=0o6755)
    unpack(local_bench, path, outer)
    assert stat.S_IMODE((outer / "in" / "dest" / "tool").stat().st_mode) == 0o755


def test_a_negative_size_is_refused_and_not_looped_over(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    """CVE-2025-8194."""
    info = tarfile.TarInfo("x")
    info.size = 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 11 + b"\x00"  # -256 in base 256
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header[:512])
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(header) + b"\0" * 4096)
    assert unpack(local_bench, path, outer)["failed"]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil"])
def test_a_hostile_zip_is_refused(name: str, outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "evil\n")
    assert unpack(local_bench, path, outer)["failed"]


def test_a_zip_with_a_link_out_is_refused(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("l")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert unpack(local_bench, path, outer)["failed"]


def bomb_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(200 << 20))


def bomb_tar(path: Path) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        add(archive, "zeros", data=bytes(200 << 20))


@pytest.mark.skipif(not is_root(), reason="mounting needs root")
@pytest.mark.parametrize("build", [bomb_zip, bomb_tar])
def test_a_bomb_is_refused_before_it_fills_the_disk(build: Callable[[Path], None], outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "bomb"
    build(path)
    assert path.stat().st_size < 2 << 20
    dest = outer / "in" / "dest"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", dest], check=True)
    try:
        result = unpack(local_bench, path, outer)
        assert "more than what is free" in result["msg"], result
        assert os.listdir(dest) == []
    finally:
        subprocess.run(["umount", dest], check=True)


def test_a_zip_that_lies_about_its_sizes_is_refused(outer: Path, tmp_path: Path, local_bench: Bench) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50 << 20))
    data = bytearray(path.read_bytes())
    real = (50 << 20).to_bytes(4, "little")
    for at in [at for at in range(len(data)) if data[at : at + 4] == real]:
        data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    assert unpack(local_bench, path, outer)["failed"]
    assert sum(entry.lstat().st_size for entry in (outer / "in" / "dest").iterdir() if not entry.is_symlink()) <= 2000


class HostileHost(BenchContext):
    """A host that answers fetch with more than was asked for, and with names of its own."""

    host = "web1"
    reply: dict[str, Any]

    async def module(self, name: str, args: Any, body: bytes | None = None, check: bool | None = None) -> dict[str, Any]:
        return dict(self.reply)


@pytest.mark.parametrize("reply", [
    {"size": 10, "checksum": "x", "_body": b"y" * 100},
    {"size": 1 << 60, "checksum": "x", "_body": b"y"},
    {"size": 4, "checksum": "0" * 40, "_body": b"evil"},
])
def test_a_hostile_answer_to_fetch_writes_nothing(reply: dict[str, Any], tmp_path: Path) -> None:
    context = HostileHost(None, None, None, False, True, tmp_path, {})  # type: ignore[arg-type]
    context.reply = {**reply, "dest": "/etc/evil", "src": "../../evil", "path": "../../evil"}
    args = typed_arguments("fetch", fetch.SPEC, {"src": "/etc/hostname", "dest": f"{tmp_path}/got"})
    with pytest.raises(OpsError):
        asyncio.run(fetch.act(context, args))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
