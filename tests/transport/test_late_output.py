"""What a raw command prints, and its end, right behind the start mark: on a busy loop all of it comes in one turn."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from opsplay.transport.kept import KeptTransport
from opsplay.transport.link import Link, Listener
from opsplay.transport.protocol import Address, Become
from opsplay.transport.tuning import Tuning


class AllAtOnce(KeptTransport):
    """A host that has finished before anybody asks again."""

    async def connect(self) -> None:
        return None

    async def open_link(self, command: str, listener: Listener, pty: bool = False) -> Link:
        link = Said(listener)
        words = re.search(r"([0-9a-f]{16}) ([0-9a-f]{16});", command)
        assert words, command
        mark = f"{words[1]}{words[2]}".encode()

        def say() -> None:
            link.listener.output(mark)
            link.listener.output(b"out")
            link.listener.errors(b"err")
            link.listener.ended(3, "the process ended")

        asyncio.get_running_loop().call_soon(say)
        return link


class Said:
    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def send(self, data: bytes) -> None:
        return None

    def finish(self) -> None:
        return None

    def close(self) -> None:
        return None


def test_nothing_behind_the_mark_is_lost() -> None:
    async def go() -> dict[str, Any]:
        transport = AllAtOnce(Address("h1"), Tuning())
        return await asyncio.wait_for(transport.exec("true", Become()), 5)

    found = asyncio.run(go())
    assert (found["rc"], found["stdout"], found["stderr"]) == (3, "out", "err")
