"""A session against a hostile or broken host (fault row 17): ProtocolError or a reply, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import random
from typing import Any

import pytest

from opsplay.remote.frames import LENGTHS, encode
from opsplay.transport.protocol import ConnectionLost, ProtocolError, Reply, Step
from opsplay.transport.session import FrameSession
from opsplay.transport.tuning import Tuning
from tests.transport.hosts import finish

MUTATIONS = int(os.environ.get("OPSPLAY_FRAME_MUTATIONS", "10000"))
HELLO = {"kind": "hello", "version": 1, "python": [3, 11, 7]}


class SilentLink:
    """A link that keeps what is sent and says nothing."""

    def __init__(self) -> None:
        self.listener: Any = None
        self.sent = bytearray()
        self.closed = False

    def send(self, data: bytes) -> None:
        self.sent += data

    def finish(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True


def reply(number: int = 1, step: int = 0, **changes: Any) -> dict[str, Any]:
    return {"kind": "reply", "id": number, "step": step, "ran": True, "result": {"ping": "x"}, **changes}


def started() -> tuple[FrameSession, SilentLink]:
    link = SilentLink()
    session = FrameSession(link, Tuning(), "h1")
    session.output(encode(HELLO))
    return session, link


def test_a_good_reply_is_taken() -> None:
    async def work() -> None:
        session, _ = started()
        request = session.submit([Step("ping", {"data": "x"})])
        session.output(encode(reply(body=True), b"body"))
        assert await request.replies[0] == Reply({"ping": "x"}, b"body", True)

    finish(work)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([reply(number=2)], id="the id of no request"),
        pytest.param([reply(), reply()], id="a replay"),
        pytest.param([reply(step=1)], id="another step first"),
        pytest.param([reply(step=-1)], id="a negative step"),
        pytest.param([reply(step=True)], id="a step that is no number"),
        pytest.param([reply(step="0")], id="a step as text"),
        pytest.param([reply(number=[1])], id="an id that cannot be looked up"),
        pytest.param([reply(result=[])], id="a result that is a list"),
        pytest.param([reply(result=None)], id="no result"),
        pytest.param([reply(ran=1)], id="ran as a number"),
        pytest.param([reply(split=["stdout"])], id="lines of nothing"),
        pytest.param([reply(split=["stdout"], result={"stdout": 5})], id="lines of a number"),
        pytest.param([reply(split={"ping": 1}, result={})], id="split as an object"),
        pytest.param([{"kind": "reply"}], id="an empty reply"),
        pytest.param([{}], id="no kind"),
        pytest.param([{"kind": "run", "id": 1, "steps": []}], id="an order to the controller"),
        pytest.param([{"kind": ["reply"]}], id="a kind that is a list"),
        pytest.param([HELLO], id="a second hello"),
        pytest.param([{"kind": "line", "id": 1, "step": 0, "stream": "stdout", "text": "x"}], id="a line unasked"),
        pytest.param(
            [{"kind": "line", "id": 9, "step": 0, "stream": "stdout", "text": "x"}], id="a line of no request"
        ),
    ],
)
def test_frames_that_no_interpreter_sends(frames: list[dict[str, Any]]) -> None:
    async def work() -> None:
        session, link = started()
        request = session.submit([Step("ping", {"data": "x"}), Step("ping", {"data": "y"})])
        for frame in frames:
            session.output(encode(frame))
        with pytest.raises(ProtocolError) as caught:
            await request.replies[1]
        assert caught.value.code == "protocol-error"
        assert "h1 sent what" in caught.value.message
        assert link.closed
        assert not session.usable
        with pytest.raises(ProtocolError):
            await session.submit([Step("ping", {})]).replies[0]

    finish(work)


def test_mutated_streams_give_replies_or_protocol_errors() -> None:
    """Set OPSPLAY_FRAME_MUTATIONS=1000000 for the figure of the fault matrix."""

    async def work() -> None:
        dice = random.Random(17)
        good = encode(reply(), b"") + encode(reply(step=1, result={"a": [1, {"b": None}]}), b"0123")
        refused = 0
        for number in range(MUTATIONS):
            session, _ = started()
            request = session.submit([Step("ping", {"data": "x"}), Step("ping", {"data": "y"})])
            data = bytearray(good)
            for _ in range(dice.randint(1, 5)):
                at = dice.randrange(len(data))
                data[at : at + dice.randint(0, 2)] = bytes(
                    dice.choice(b'\x00\xff{}[]",:\\u0123456789rnk') for _ in range(dice.randint(0, 3))
                )
            cut = dice.randrange(len(data) + 1)
            session.output(bytes(data[:cut]))
            session.output(bytes(data[cut:]))
            for future in request.replies:
                if future.done():
                    error = future.exception()
                    assert error is None or isinstance(error, ProtocolError)
                    refused += error is not None
            await session.close()
            if number % 500 == 0:
                await asyncio.sleep(0)
        assert refused > MUTATIONS // 4

    finish(work, 600)


def test_noise_before_the_frames_is_a_protocol_error() -> None:
    async def work() -> None:
        link = SilentLink()
        session = FrameSession(link, Tuning(), "h1")
        session.output(b"Broadcast message from root: the system is going down\n")
        with pytest.raises(ProtocolError):
            await session.ready()

    finish(work)


def test_a_long_frame_that_never_comes_holds_nothing() -> None:
    async def work() -> None:
        session, _ = started()
        request = session.submit([Step("ping", {"data": "x"})])
        session.output(LENGTHS.pack(0xFFFFFFF0, 0xFFFFFFF0))
        with pytest.raises(ProtocolError):
            await request.replies[0]

    finish(work)


def test_an_end_without_a_reply_is_a_lost_connection() -> None:
    async def work() -> None:
        session, _ = started()
        request = session.submit([Step("ping", {"data": "x"})])
        session.errors(b"Killed\n")
        session.ended(137, "the process ended")
        with pytest.raises(ConnectionLost) as caught:
            await request.replies[0]
        assert "Killed" in caught.value.message

    finish(work)


def test_data_of_a_host_stays_data() -> None:
    """Keys and texts that look like templates or attributes come through unchanged, as plain JSON types."""
    hostile = {
        "__class__": "{{ 7*7 }}",
        "stdout": "{% raw %}",
        "n": {"vars": ["!unsafe", None, True, 1.5]},
        "0": "[1,2]",
    }

    async def work() -> None:
        session, _ = started()
        request = session.submit([Step("ping", {"data": "x"})])
        session.output(encode(reply(result=hostile)))
        result = (await request.replies[0]).result
        assert json.dumps(result) == json.dumps(hostile)

    finish(work)
