"""A typical argument takes less than 0.1 ms of CPU; the command line does not pay for Jinja."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from opsplay.templating.templar import Templar
from opsplay.templating.values import compile_plain
from tests.templating.rendering import scope_of

SCOPE = scope_of(
    "path: /etc\nhost: web1\nport: 80\nenabled: true\nnested: {a: {b: '{{ port }}'}}\nusers: [{name: a}, {name: b}]"
)
TEMPLAR = Templar()
ARGUMENTS = {
    "a lone name": "{{ host }}",
    "module arguments": {
        "path": "{{ path }}/{{ host }}.conf",
        "mode": "0644",
        "state": "{{ 'file' if enabled else 'absent' }}",
    },
    "an attribute": "{{ nested.a.b }}",
    "a filter": "{{ path | basename }}",
    "a map": "{{ users | map(attribute='name') | join(',') }}",
}


def microseconds(action: Callable[[], object]) -> float:
    """The best of several rounds of CPU time: what it costs when nothing else disturbs."""
    action()
    best = float("inf")
    for _ in range(10):
        began = time.thread_time()
        for _ in range(200):
            action()
        best = min(best, (time.thread_time() - began) / 200)
    return best * 1e6


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_is_quick(name: str) -> None:
    value = compile_plain(ARGUMENTS[name])
    assert microseconds(lambda: TEMPLAR.render(value, SCOPE)) < 100


@pytest.mark.parametrize("condition", ["enabled", "port == 80 and enabled", "host is match('web')"])
def test_a_condition_is_quick(condition: str) -> None:
    assert microseconds(lambda: TEMPLAR.condition(condition, SCOPE)) < 100


def test_jinja_is_imported_late() -> None:
    code = "import sys, opsplay.templating.templar, opsplay.templating.values; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
