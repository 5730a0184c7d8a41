"""Frames: 4-byte header length, 4-byte body length, JSON header, raw body; the same code reads them on both sides."""

import json
import struct

LENGTHS = struct.Struct("!II")
HEADER_LIMIT = 96 * 1024 * 1024  # two streams of 16 MiB, each escaped, and room
BODY_LIMIT = 1024 * 1024 * 1024
DEPTH_LIMIT = 200


class FrameError(Exception):
    """These bytes are no frame of ours."""


def encode(header, body=b"", default=None):
    """The bytes of one frame. `default` makes JSON of a value that json does not know."""
    return start(header, len(body), default) + body


def start(header, length, default=None):
    """A frame up to its body of that many bytes, which whoever sends it sends behind it, without a copy."""
    text = json.dumps(header, separators=(",", ":"), default=default, allow_nan=False).encode("ascii")
    if len(text) > HEADER_LIMIT or length > BODY_LIMIT:
        raise FrameError("a frame of %d + %d bytes is too long to send" % (len(text), length))
    return LENGTHS.pack(len(text), length) + text


def _refuse_constant(name):
    raise FrameError("%s is not JSON" % name)


def _finite(text):
    number = float(text)
    if number - number != 0:
        raise FrameError("%s is out of range" % text[:40])
    return number


def _pairs(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FrameError("an object has the same key twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_refuse_constant, parse_float=_finite)


def decode_header(raw):
    """The header as a dict. Raises FrameError for anything that `encode` does not write."""
    try:
        header = _DECODER.decode(raw.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise FrameError("the header is not JSON: %s" % str(error)[:200])
    if not isinstance(header, dict):
        raise FrameError("the header is not an object")
    if b"\\u" in raw:
        _refuse_surrogates(header)
    return header


def _refuse_surrogates(header):
    """Bytes of a file name travel as U+DC80..U+DCFF; any other half of a pair is no text and crashes who prints it."""
    stack = [header]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value)
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, str):
            _refuse_surrogate(value)


def _refuse_surrogate(text):
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise FrameError("the header holds half a surrogate pair")


class FrameReader:
    """Cuts a stream of bytes into frames. `feed` returns those that are complete."""

    def __init__(self, header_limit=HEADER_LIMIT, body_limit=BODY_LIMIT):
        self._limits = (header_limit, body_limit)
        self._buffer = bytearray()
        self._lengths = None
        self.broken = None

    @property
    def pending(self):
        """True when part of a frame has come."""
        return bool(self._buffer)

    def feed(self, data):
        """Frames completed by `data` as (header, body) pairs. After a FrameError the stream is lost for good."""
        if self.broken:
            raise FrameError(self.broken)
        self._buffer += data
        try:
            return self._cut()
        except FrameError as error:
            self.broken = str(error)
            self._buffer = bytearray()
            raise

    def _cut(self):
        frames = []
        while True:
            if self._lengths is None:
                if len(self._buffer) < LENGTHS.size:
                    return frames
                self._lengths = self._read_lengths()
            header_length, body_length = self._lengths
            end = LENGTHS.size + header_length + body_length
            if len(self._buffer) < end:
                return frames
            header = bytes(self._buffer[LENGTHS.size:LENGTHS.size + header_length])
            body = bytes(self._buffer[LENGTHS.size + header_length:end])
            del self._buffer[:end]
            self._lengths = None
            frames.append((decode_header(header), body))

    def _read_lengths(self):
        lengths = LENGTHS.unpack_from(self._buffer)
        if lengths[0] > self._limits[0] or lengths[1] > self._limits[1] or lengths[0] < 2:
            raise FrameError("a frame announces %d + %d bytes" % lengths)
        return lengths
