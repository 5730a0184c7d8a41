"""Content that comes in pieces: private while it comes, gone when it is cut off, put in place without a copy."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from bench_context import BenchContext
from workbench import is_root

from opsplay.actions import copy
from opsplay.actions._file_transfer import Content, Transfer
from opsplay.actions.arguments import typed_arguments
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address, Become

SIZE = 20 * 1024 * 1024


def with_context(work: Callable[[BenchContext], Awaitable[Any]], source: Path, become: Become | None = None) -> Any:
    async def run() -> Any:
        transport = LocalTransport(Address("localhost", "local", python=sys.executable))
        try:
            return await work(
                BenchContext(transport, await transport.session(become), become, False, False, source, {})
            )
        finally:
            await transport.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


def copied(source: Path, **args: Any) -> dict[str, Any]:
    async def work(context: BenchContext) -> dict[str, Any]:
        return dict(await copy.act(context, typed_arguments("copy", copy.SPEC, {"src": str(source), **args})))

    return dict(with_context(work, source.parent))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


def test_put_in_place_with_its_checksums(large: Path, there: Path) -> None:
    data = large.read_bytes()
    result = copied(large, dest=str(there / "f"), mode="0640")
    assert result["changed"] and (there / "f").read_bytes() == data
    assert result["checksum"] == hashlib.sha1(data).hexdigest() and result["md5sum"] == hashlib.md5(data).hexdigest()
    assert stat.S_IMODE((there / "f").stat().st_mode) == 0o640 and os.listdir(there) == ["f"]
    assert not copied(large, dest=str(there / "f"))["changed"]


def test_the_same_length_is_not_the_same_content(large: Path, there: Path) -> None:
    (there / "f").write_bytes(os.urandom(SIZE))
    result = copied(large, dest=f"{there}/", backup=True, validate="test -s %s")
    assert result["dest"] == str(there / "large"), result
    result = copied(large, dest=str(there / "f"), backup=True, validate="test -s %s")
    assert result["changed"] and (there / "f").read_bytes() == large.read_bytes()
    assert Path(result["backup_file"]).stat().st_size == SIZE


def test_what_does_not_validate_leaves_the_old_one(large: Path, there: Path) -> None:
    (there / "f").write_text("old")
    result = copied(large, dest=str(there / "f"), validate="false %s", backup=True)
    assert result["failed"] and result["msg"] == "failed to validate"
    assert (there / "f").read_text() == "old" and os.listdir(there) == ["f"]


def test_a_missing_folder_is_told_before_anything_is_sent(large: Path, there: Path) -> None:
    result = copied(large, dest=str(there / "none" / "f"))
    assert result["failed"] and "does not exist" in result["msg"] and os.listdir(there) == []
    assert copied(large, dest=f"{there}/made/")["changed"] and (there / "made" / "large").stat().st_size == SIZE


def test_a_file_that_changes_on_its_way_is_refused(large: Path, there: Path) -> None:
    (there / "f").write_text("old")
    content = Content.of_file(large)
    with large.open("r+b") as handle:
        handle.write(b"changed")

    async def work(context: BenchContext) -> dict[str, Any]:
        async with Transfer(context, {"dest": str(there / "f")}) as transfer:
            return await transfer.put({"dest": str(there / "f")}, content)

    result = with_context(work, there)
    assert result["failed"] and "has changed while it was sent" in result["msg"], result
    assert (there / "f").read_text() == "old" and os.listdir(there) == ["f"]


def cut_off(there: Path, end: Callable[[BenchContext], Awaitable[None]]) -> str:
    """The name of the file that was coming when it ended."""
    seen: list[str] = []

    async def work(context: BenchContext) -> None:
        await context.module("_receive", {"token": "ab" * 12, "dest": str(there / "f")})
        await context.module("_receive", {"token": "ab" * 12, "offset": 0}, body=b"x" * 1000)
        seen.extend(os.listdir(there))
        assert stat.S_IMODE((there / seen[0]).stat().st_mode) == 0o600
        await end(context)

    with_context(work, there)
    assert len(seen) == 1
    return seen[0]


def pid_of(context: BenchContext) -> int:
    return int(context.session.hello.result()["pid"])


def ended(pid: int) -> bool:
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True


async def gone(pid: int) -> None:
    for _ in range(200):
        if ended(pid):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the interpreter still runs")


def test_nothing_is_left_when_the_connection_ends(there: Path) -> None:
    async def hang_up(context: BenchContext) -> None:
        pid = pid_of(context)
        await context.session.close()
        await gone(pid)

    cut_off(there, hang_up)
    assert os.listdir(there) == []


def test_what_a_killed_interpreter_leaves_is_dropped_by_the_next(large: Path, there: Path) -> None:
    async def kill(context: BenchContext) -> None:
        os.kill(pid_of(context), signal.SIGKILL)
        await gone(pid_of(context))

    left = cut_off(there, kill)
    assert os.listdir(there) == [left]
    assert copied(large, dest=str(there / "f"))["changed"]
    assert os.listdir(there) == ["f"]


@pytest.mark.skipif(not is_root(), reason="mounting needs root")
def test_a_file_that_cannot_be_replaced_is_written_in_place_when_asked(
    large: Path, there: Path, tmp_path: Path
) -> None:
    (there / "f").write_text("old")
    (tmp_path / "other").write_text("old")
    subprocess.run(["mount", "--bind", tmp_path / "other", there / "f"], check=True)
    try:
        refused = copied(large, dest=str(there / "f"))
        assert refused["failed"] and (there / "f").read_text() == "old", refused
        assert copied(large, dest=str(there / "f"), unsafe_writes=True)["changed"]
        assert (tmp_path / "other").read_bytes() == large.read_bytes() and os.listdir(there) == ["f"]
    finally:
        subprocess.run(["umount", there / "f"], check=True)
