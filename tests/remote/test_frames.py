"""Frames against garbage (fault row 17): only FrameError ever comes out, and memory stays small."""

from __future__ import annotations

import json
import os
import random
import struct
import tracemalloc

import pytest

from opsplay.remote.frames import BODY_LIMIT, HEADER_LIMIT, LENGTHS, FrameError, FrameReader, decode_header, encode

MUTATIONS = int(os.environ.get("OPSPLAY_FRAME_MUTATIONS", "20000"))
REPLY = {
    "kind": "reply",
    "id": 7,
    "step": 0,
    "ran": True,
    "result": {"stdout": "ü\u20ac", "rc": 0, "list": [1, None, 2.5, {"a": "b"}]},
}


def framed(header: bytes, body: bytes = b"") -> bytes:
    return LENGTHS.pack(len(header), len(body)) + header + body


def test_frames_come_out_as_they_went_in_however_cut() -> None:
    data = encode(REPLY, b"body") + encode({"kind": "line"}) + encode(REPLY, b"")
    for size in (1, 2, 3, 7, 64, len(data)):
        reader = FrameReader()
        frames = [frame for at in range(0, len(data), size) for frame in reader.feed(data[at : at + size])]
        assert frames == [(REPLY, b"body"), ({"kind": "line"}, b""), (REPLY, b"")]
        assert not reader.pending


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Welcome to host1!\nLast login: today\n", id="motd"),
        pytest.param(framed(b'{"kind": "reply", "id"'), id="partial json"),
        pytest.param(struct.pack("!II", 0xFFFFFFFF, 0) + b"x", id="4 GB header"),
        pytest.param(struct.pack("!II", 2, 0xFFFFFFFF) + b"{}", id="4 GB body"),
        pytest.param(struct.pack("!II", HEADER_LIMIT + 1, 0), id="header just too long"),
        pytest.param(struct.pack("!II", 2, BODY_LIMIT + 1), id="body just too long"),
        pytest.param(struct.pack("!II", 0, 0), id="empty header"),
        pytest.param(framed(b"[" * 100_000), id="depth"),
        pytest.param(framed(b"[" * 100_000 + b"]" * 100_000), id="closed depth"),
        pytest.param(framed(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), id="object depth"),
        pytest.param(framed(b'{"a": NaN}'), id="NaN"),
        pytest.param(framed(b'{"a": -Infinity}'), id="infinity"),
        pytest.param(framed(b'{"a": "\\ud800"}'), id="lone surrogate"),
        pytest.param(framed(b'{"\\udfff": 1}'), id="lone surrogate as a key"),
        pytest.param(framed(b'{"a": 1, "a": 2}'), id="duplicate key"),
        pytest.param(framed(b'{"r": [{"a": 1, "a": 2}]}'), id="nested duplicate key"),
        pytest.param(framed(b"[1]"), id="no object"),
        pytest.param(framed(b"null"), id="null"),
        pytest.param(framed('{"a": "ü"}'.encode("latin-1")), id="latin-1"),
        pytest.param(framed(b'{"a": 1} x'), id="tail"),
        pytest.param(framed(b'{"a": ' + b"9" * 10_000 + b"}"), id="huge number"),
    ],
)
def test_garbage_is_a_frame_error_at_little_cost(data: bytes) -> None:
    reader = FrameReader()
    tracemalloc.start()
    with pytest.raises(FrameError):
        reader.feed(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < max(1_000_000, 20 * len(data))
    with pytest.raises(FrameError):
        reader.feed(encode(REPLY))


def test_file_names_that_are_no_text_survive() -> None:
    header = {"path": "caf\udce9", "\udc80": 1}
    assert FrameReader().feed(encode(header)) == [(header, b"")]


def test_mutated_frames_give_frames_or_frame_errors() -> None:
    """Set OPSPLAY_FRAME_MUTATIONS=1000000 for the figure of the fault matrix."""
    dice = random.Random(17)
    original = encode(REPLY, b"0123456789")
    refused = 0
    for _ in range(MUTATIONS):
        data = bytearray(original)
        for _ in range(dice.randint(1, 4)):
            _mutate(data, dice)
        reader = FrameReader()
        try:
            for header, body in reader.feed(bytes(data)):
                json.dumps(header)
                assert isinstance(body, bytes)
        except FrameError:
            refused += 1
    assert refused > MUTATIONS // 4


def _mutate(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data)) if data else 0
    kind = dice.randrange(5)
    if kind == 0 and data:
        data[at] = dice.randrange(256)
    elif kind == 1:
        data[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 8)))
    elif kind == 2:
        del data[at : at + dice.randint(1, 8)]
    elif kind == 3:
        data[at:at] = dice.choice([b'"', b"{", b"[", b"\\u", b"NaN", b"1e999", b",", b"\x00"])
    else:
        data[at : at + 4] = data[0:4]


def test_numbers_out_of_range_are_refused_or_finite() -> None:
    with pytest.raises(FrameError):
        decode_header(b'{"a": 1e999}')
