"""Any text gives nodes or an OpsError with its place; what PyYAML writes is read back the same.

OPSPLAY_FUZZ_EXAMPLES sets how many examples each property gets (default 150; an hour is about 3,000,000).
"""

from __future__ import annotations

import math
import os

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opsplay.errors import OpsError
from opsplay.source.nodes import plain
from opsplay.source.yaml_reader import parse_yaml

EXAMPLES = int(os.environ.get("OPSPLAY_FUZZ_EXAMPLES", "150"))
quick = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

PIECES = [
    "- ", ": ", "\n", "  ", "{{ x }}", "[", "]", "{", "}", "&a ", "*a", "!vault ", "!!int ", "!x ", "|", ">", "'", '"',
    "<<: ", "? ", "#", "%", "@", "`", "\t", "---\n", "...\n", "a", "1", "\ufeff", "\0", "\u2028", "é", ",", "\\",
    "0x", ":59",
]  # fmt: skip

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.dates() | st.floats(allow_nan=False)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


def check(text: str) -> None:
    try:
        parse_yaml(text, "fuzz.yml")
    except OpsError as error:
        assert error.where is not None and error.where.line > 0 and error.remedy


@quick
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example("a: {{ x }}")
@example("&a : *a")
@example("!!timestamp x")
@example("!!binary \u00e9")
@example("? &a [*a]\n: b")
def test_pieces_of_yaml_never_crash(text: str) -> None:
    check(text)


@quick
@given(st.text(max_size=200))
def test_any_text_never_crashes(text: str) -> None:
    check(text)


@quick
@given(values, st.booleans())
def test_what_pyyaml_writes_is_read_back(value: object, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=False)
    node = parse_yaml(text)
    theirs = yaml.safe_load(text)
    ours = None if node is None else plain(node)
    assert repr(ours) == repr(theirs) or (isinstance(ours, float) and math.isnan(ours))
