"""A 100 MB copy or fetch stays within 64 MB of memory on the controller, and the host's half within the same."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench_context import BenchContext

from opsplay.actions import copy, fetch
from opsplay.actions.arguments import typed_arguments
from opsplay.transport.local import LocalTransport
from opsplay.transport.protocol import Address

SIZE = 100 << 20
ROOM = 64 << 20


def peak(process: str = "self") -> int:
    """The most memory that a process ever had, in bytes. (getrusage would count what its parent had at the fork.)"""
    found = Path(f"/proc/{process}/status").read_text().partition("VmHWM:")[2].split()
    return int(found[0]) * 1024 if found else 0  # a child that has ended has none


def peak_of_children() -> int:
    children = [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
    assert children, "the host's half is a child of ours"
    return max(peak(pid) for pid in children)


async def run(action: Any, name: str, args: dict[str, Any], source: Path) -> dict[str, Any]:
    transport = LocalTransport(Address("localhost", "local"))
    try:
        context = BenchContext(transport, await transport.session(), None, False, True, source, {})
        result = dict(await action.act(context, typed_arguments(name, action.SPEC, args)))
        return {**result, "there": peak_of_children()}
    finally:
        await transport.close()


def main(folder: str) -> None:
    """In a process of its own, so that the peak is that of the copy."""
    top = Path(folder)
    asyncio.run(run(copy, "copy", {"src": str(top / "small"), "dest": str(top / "warm")}, top))
    before = peak()
    for action, name, args in (
        (copy, "copy", {"src": str(top / "large"), "dest": str(top / "copied")}),
        (fetch, "fetch", {"src": str(top / "large"), "dest": str(top / "fetched"), "flat": True}),
    ):
        started = time.monotonic()
        result = asyncio.run(run(action, name, args, top))
        assert result["changed"], result
        print(f"{name}: {time.monotonic() - started:.1f} s, +{(peak() - before) >> 20} MB here, {result['there'] >> 20} MB there")
        assert peak() - before < ROOM
        assert result["there"] < SIZE + ROOM, "the host's half: pages of the file that it maps count, too"


def test_100_mb_stay_within_64_mb(tmp_path: Path) -> None:
    (tmp_path / "small").write_text("x")
    block = os.urandom(1 << 20)
    with open(tmp_path / "large", "wb") as handle:
        for _ in range(SIZE >> 20):
            handle.write(block)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, __file__, str(tmp_path)], capture_output=True, text=True, env=environment, timeout=120)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    large = (tmp_path / "large").read_bytes()
    assert (tmp_path / "copied").read_bytes() == large and (tmp_path / "fetched").read_bytes() == large


if __name__ == "__main__":
    main(sys.argv[1])
