"""Regular expressions with a bound on their time: those that might backtrack for long run in a child process."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from opsplay.lazy_dataclass import dataclass
from opsplay.templating import budget, regex_child
from opsplay.templating.failures import TemplateFailed, limit_exceeded

SECONDS = 2.0  # of the processor
PATIENCE = 60.0  # of the clock
STEPS = 20_000_000
LONG = 32


@dataclass(frozen=True, slots=True)
class Found:
    groups: list[Any]
    named: dict[str, Any]


def flags(ignorecase: bool = False, multiline: bool = False) -> int:
    return (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)


def search(pattern: str, text: str, flags: int = 0, operation: str = "search") -> Found | None:
    """`operation` is search, match or fullmatch."""
    answer = _run(operation, pattern, flags, text)
    return None if answer is None else Found(*answer)


def find_all(pattern: str, text: str, flags: int = 0) -> list[Any]:
    return list(_run("findall", pattern, flags, text))


def replace(pattern: str, text: str, replacement: str, flags: int = 0, count: int = 0) -> tuple[str, int]:
    if len(replacement) * (len(text) + 1) > budget.TEXT:
        result, times = _run("sub", pattern, flags, text, "", count)
        budget.check_text(len(result) + times * len(replacement))
    result, times = _run("sub", pattern, flags, text, replacement, count)
    return result, times


def _run(operation: str, pattern: str, flags: int, text: str, *more: Any) -> Any:
    try:
        if is_quick(pattern, len(text), operation, flags):
            return regex_child.perform(operation, pattern, flags, text, *more)
    except re.error as error:
        raise TemplateFailed(f"Invalid regular expression ({pattern}): {error}", code="bad-regex") from None
    return CHILD.ask(operation=operation, pattern=pattern, flags=flags, text=text, **_named(more))


def _named(more: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("replacement", "count"), more, strict=False))


def is_quick(pattern: str, length: int, operation: str = "search", flags: int = 0) -> bool:
    """Whether the expression surely ends soon on a text of that length."""
    repeats, nested = danger(pattern)
    if nested:
        return length <= 16
    anchored = operation in ("match", "fullmatch") or (pattern[:1] == "^" and "|" not in pattern and not flags & re.M)
    return bool(length ** (repeats + (not anchored)) <= STEPS)


@functools.lru_cache(maxsize=4096)
def danger(pattern: str) -> tuple[int, bool]:
    """How many long repeats the expression has, and whether one holds another, or a choice or back reference."""
    from re import _parser  # type: ignore[attr-defined]

    return _danger(_parser.parse(pattern), False)


def _danger(tree: Any, inside: bool) -> tuple[int, bool]:
    repeats, nested = 0, False
    for name, argument in tree:
        kind = str(name)
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            long = int(argument[1]) > LONG
            variable = int(argument[0]) != int(argument[1])
            more, deeper = _danger(argument[2], inside or long)
            repeats += more + long
            nested |= deeper or (inside and variable)
        else:
            nested |= inside and kind in ("BRANCH", "GROUPREF")
            for branch in _parts(argument):
                more, deeper = _danger(branch, inside)
                repeats += more
                nested |= deeper
    return repeats, nested


def _parts(argument: Any) -> list[Any]:
    """The expressions inside a node, however it holds them."""
    from re import _parser  # type: ignore[attr-defined]

    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, (list, tuple)):
        return [part for item in argument for part in _parts(item)]
    return []


class Child:
    """One child process, started when it is first needed, killed when an answer takes too long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, **request: Any) -> Any:
        with self._lock:
            reply = self._exchange(json.dumps(request).encode() + b"\n")
        if "error" in reply:
            raise TemplateFailed(f"regular expression: {reply['error']}", code="bad-regex")
        return reply["result"]

    def _exchange(self, line: bytes) -> Any:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        limit = (cpu_seconds(process.pid) or 0.0) + SECONDS
        writer = threading.Thread(target=_write, args=(process, line), daemon=True) if len(line) > 60_000 else None
        writer.start() if writer else _write(process, line)
        received = self._receive(process, limit)
        if not received.endswith(b"\n"):
            self.close()
            raise limit_exceeded(f"a regular expression ran longer than {SECONDS:g} s or made too much")
        return json.loads(received)

    def _receive(self, process: subprocess.Popen[bytes], limit: float) -> bytes:
        """The answer, as far as it came before the child had computed for so long; waiting on a busy machine does not count."""
        assert process.stdout is not None
        parts: list[bytes] = []
        patience = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while time.monotonic() < patience:
                if not selector.select(max(0.02, limit - (cpu_seconds(process.pid) or 0.0))):
                    if (spent := cpu_seconds(process.pid)) is None or spent >= limit:
                        break
                    continue
                part = process.stdout.read1(1 << 20)  # type: ignore[attr-defined]
                parts.append(part)
                if not part or part.endswith(b"\n"):
                    break
        return b"".join(parts)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-I", "-S", str(Path(regex_child.__file__))]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def cpu_seconds(pid: int) -> float | None:
    """The processor time that a process has had; None where nobody tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(line)
        process.stdin.flush()


CHILD = Child()
