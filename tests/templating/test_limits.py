"""Fault row 3: an expression that wants too much is refused, or ends within 2 s and 256 MB."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from opsplay.errors import OpsError
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.templating.template import Template

BOMBS = (Path(__file__).parent / "cases" / "bombs.txt").read_text().splitlines()
SLACK = 0.5  # starting, forking, and a machine that does other things


def weighed(text: str) -> dict[str, Any]:
    """Renders in a forked child, so that the memory can be told; CPU seconds, megabytes and what came of it."""
    templar = Templar()
    templar.render(Template("{{ 1 }}{{ 'a' | to_json }}"), DictScope())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, json.dumps(outcome(templar, text)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    return dict(json.loads(answer))


def outcome(templar: Templar, text: str) -> dict[str, Any]:
    before, began = peak(), time.process_time()
    try:
        told = f"gives {type(templar.render(Template(text), DictScope())).__name__}"
    except OpsError as error:
        told = error.code
    return {"told": told, "seconds": time.process_time() - began, "megabytes": (peak() - before) / 1024}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_there_are_bombs() -> None:
    assert len(BOMBS) > 60


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:60])
def test_a_bomb_is_bounded(text: str) -> None:
    result = weighed(text)
    assert result["seconds"] <= 2 + SLACK
    assert result["megabytes"] <= 256


@pytest.mark.parametrize("text", ["{{ 'a' * 10 ** 9 }}", "{{ range(10 ** 9) }}", "{{ 2 ** (10 ** 9) }}", "{{ [0] * 10 ** 9 }}",
                                  "{{ '%1000000000d' % 1 }}"])  # fmt: skip
def test_the_well_known_ones_are_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(OpsError):
        Templar().render(Template(text), DictScope())
    assert time.process_time() - began < 0.5


def test_the_limit_is_a_setting() -> None:
    class Settings:
        template_seconds = 0.1

    began = time.process_time()
    with pytest.raises(OpsError, match=r"longer than 0\.1 s"):
        Templar(Settings()).render(
            Template("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"), DictScope()
        )
    assert time.process_time() - began < 1


def test_waiting_is_not_counted() -> None:
    class Settings:
        template_seconds = 0.2

    text = "{% for i in range(40) %}{{ lookup('pipe', 'sleep 0.01; echo x') }}{% endfor %}"
    assert Templar(Settings()).render(Template(text), DictScope()) == "x" * 40


@pytest.mark.parametrize("pattern", [r"^web\d+$", r"(\w+)=(.*)", r"[^,]*,[^,]*", r"^\s*#?\s*(\S+)"])
def test_an_ordinary_expression_needs_no_child(pattern: str) -> None:
    from opsplay.templating.patterns import is_quick

    assert is_quick(pattern, 100)


def test_a_slow_expression_is_killed_and_the_next_one_works() -> None:
    from opsplay.templating import patterns

    with pytest.raises(OpsError, match="regular expression ran longer"):
        patterns.search("(a+)+$", "a" * 40 + "b")
    assert patterns.search("(a+)+$", "b" * 40 + "a") is not None
    assert patterns.replace("(x|y)*z", "x" * 30 + "z", "-") == ("-", 1)


def test_a_child_that_a_busy_machine_keeps_waiting_is_waited_for() -> None:
    from opsplay.templating import patterns

    assert patterns.search("(a+)+$", "b" * 40 + "a") is not None
    process = patterns.CHILD._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    threading.Timer(patterns.SECONDS + 0.5, os.kill, (process.pid, signal.SIGCONT)).start()
    assert patterns.search("(a+)+$", "b" * 41 + "a") is not None
