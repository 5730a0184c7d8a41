"""What a module says of a file in a folder that its user may not enter."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from opsplay.remote.modules import _fetch
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
