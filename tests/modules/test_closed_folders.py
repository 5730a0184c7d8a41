"""What modules do as a user with few rights: folders that are closed, files of others."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsplay.actions.arguments import typed_arguments
from opsplay.remote.modules import _fetch, file
from opsplay.remote.perform import perform
from opsplay.remote.spec import Args, ModuleFailure
from opsplay.remote.system import System

NOBODY = 65534


def as_nobody(act: Any) -> str:
    """What `act` returns in a child that is no longer root."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setuid(NOBODY)
            os.write(writer, json.dumps(act()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as handle:
        return str(json.loads(handle.read()))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_fetch_tells_a_closed_folder_from_a_missing_file(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "file").write_text("x")
    closed.chmod(0)

    def fetched() -> str:
        try:
            _fetch.read(System(), Args(src=str(closed / "file"), known=None, offset=0, limit=1))
        except ModuleFailure as failed:
            assert failed.result["missing"]
            return str(failed.msg)
        return "read"

    try:
        said = as_nobody(fetched)
    finally:
        closed.chmod(0o700)
    assert said.startswith("File is not readable: Permission denied")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user than the file's owner")
def test_whoever_may_write_a_file_may_touch_it(open_folder: Path) -> None:
    path = open_folder / "shared"
    path.write_text("")
    path.chmod(0o666)
    os.utime(path, (1, 1))

    def touched() -> str:
        return str(perform(file, System(), typed_arguments("file", file.SPEC, {"path": str(path), "state": "touch"})))

    assert "'changed': True" in as_nobody(touched)
    assert path.stat().st_mtime > 1 and path.stat().st_atime > 1
