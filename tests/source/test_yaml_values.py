"""What plain YAML means: the same values as PyYAML's SafeLoader, which Ansible content was written against."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest
import yaml

from opsplay.errors import OpsError
from opsplay.source.limits import Limits
from opsplay.source.nodes import ListNode, MapNode, ScalarNode, UnsafeText, VaultText, plain
from opsplay.source.yaml_reader import parse_yaml, parse_yaml_documents, read_yaml

WORDS = """
    yes No ON off true False y n Y N null Null ~ NULL none None 0 -0 +12 007 0644 0o644 08 1_000 0x1F 0xg 0b11 0b2 12:30
    190:20:30 190:20:30.15 1:99 1.5 1. .5 -.5 . .. +.5 1e3 1.0e+3 1.0e3 .inf -.Inf +.INF .nan .NaN 2024-01-02 2024-1-2
    2024-01-02T03:04:05Z 2001-12-14t21:59:43.10-05:00 2024-02-03T04:05:06.123456789 v1.2 1.2.3 10.0.0.1 -1_0.5_0 0_1 0.
    +0x1A -0b1 1__0 -12e03 abc a:b a-b 0: t f -.nan 6.8523015e+5 685_230.15 0100_200 -0x_0A_74_AE 0b1010_0111
"""


def as_safe_loader(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except ValueError:  # an impossible date crashes PyYAML; here it stays text
        return text


@pytest.mark.parametrize("word", [word.rstrip(":") for word in WORDS.split()])
def test_a_plain_word_means_what_pyyaml_says(word: str) -> None:
    ours, theirs = plain(parse_yaml(f"[{word}]")), as_safe_loader(f"[{word}]")
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {k: 1, l: 2}\nb: {<<: *x, j: 2, k: 3}",
        "a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y], z: 0}",
        "a: &x [1, 2]\nb: *x",
        "a: |\n  one\n  two\nb: >-\n  folded\n  text\nc: 'it''s'\nd: \"tab\\t\\u00e9\"",
        "? a\n: b\n? c\n",
        "- - - deep\n- {a: [b, {c: d}]}",
        "!!str 5",
        "[!!int '7', !!float '1', !!bool 'yes', !!null '', !!str 2024-01-01]",
        "",
        "# nothing\n",
        "---\n...\n",
        "'quoted': 1\n12: 2\ntrue: 3\nnull: 4",
        "a: b: c".replace("b: c", "'b: c'"),
        "{a: 1, b: , c: }",
        "ünï: çödé 🎉",
    ],
)
def test_a_text_means_what_pyyaml_says(text: str) -> None:
    node = parse_yaml(text)
    assert (None if node is None else plain(node)) == yaml.safe_load(text)
    if isinstance(node, MapNode):
        assert [key.value for key, _ in node.pairs] == list(yaml.safe_load(text))


def test_an_impossible_date_stays_text() -> None:
    assert plain(parse_yaml("2024-13-45") or ListNode((), None)) == "2024-13-45"  # type: ignore[arg-type]


def test_places_are_lines_and_columns_from_one() -> None:
    node = parse_yaml("- name: x\n  vars:\n    käy: [1, é, 3]\n", "play.yml")
    assert isinstance(node, ListNode)
    task = node.items[0]
    assert isinstance(task, MapNode)
    variables = task.get("vars")
    assert isinstance(variables, MapNode)
    key, value = variables.pairs[0]
    assert str(key.where) == "play.yml:3:5"
    assert isinstance(value, ListNode)
    assert [str(item.where) for item in value] == ["play.yml:3:11", "play.yml:3:14", "play.yml:3:17"]


def test_vault_and_unsafe_tags() -> None:
    text = "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3030\nb: !unsafe '{{ x }}'\n"
    text += "c: !unsafe [1, '{{ y }}']\nd: !vault-encrypted x\n"
    found = dict((key.value, value) for key, value in parse_yaml(text).pairs)  # type: ignore[union-attr]
    assert isinstance(found["a"], ScalarNode)
    assert found["a"].value == VaultText("$ANSIBLE_VAULT;1.1;AES256\n3030\n")
    assert found["b"].value == UnsafeText("{{ x }}")
    assert [item.value for item in found["c"]] == [1, UnsafeText("{{ y }}")]
    assert found["d"].value == VaultText("x")


def test_duplicates_are_an_error_a_warning_or_nothing() -> None:
    text = "a: 1\nb: 2\na: 3\n"
    with pytest.raises(OpsError) as caught:
        parse_yaml(text, "f.yml")
    assert (caught.value.code, str(caught.value.where)) == ("yaml-duplicate-key", "f.yml:3:1")
    warnings: list[OpsError] = []
    node = parse_yaml(text, duplicates="warn", warn=warnings.append)
    assert plain(node) == {"a": 3, "b": 2} and [warning.code for warning in warnings] == ["yaml-duplicate-key"]  # type: ignore[arg-type]
    assert plain(parse_yaml(text, duplicates="ignore")) == {"a": 3, "b": 2}  # type: ignore[arg-type]


def test_several_documents() -> None:
    assert [node and plain(node) for node in parse_yaml_documents("a: 1\n---\n- b\n---\n")] == [{"a": 1}, ["b"], None]
    with pytest.raises(OpsError, match="second document"):
        parse_yaml("a: 1\n---\nb: 2\n")


def test_a_byte_order_mark_may_start_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bom.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert plain(read_yaml(path)) == {"a": 1}  # type: ignore[arg-type]


def test_json_files_are_json(tmp_path: Path) -> None:
    path = tmp_path / "vars.json"
    path.write_text('{"a": 1e5, "b": "x\\/y \\ud83c\\udf89",\t"c": [null, true]}')
    assert plain(read_yaml(path)) == {"a": 100000.0, "b": "x/y 🎉", "c": [None, True]}  # type: ignore[arg-type]
    path.write_text("{a: yaml after all}")
    assert plain(read_yaml(path)) == {"a": "yaml after all"}  # type: ignore[arg-type]


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("a: 1\n")
    first = read_yaml(path)
    assert read_yaml(path) is first
    path.write_text("a: 22\n")
    assert plain(read_yaml(path)) == {"a": 22}  # type: ignore[arg-type]


def test_no_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        read_yaml(tmp_path / "none.yml")
    assert caught.value.code == "cannot-read-file" and caught.value.remedy


def test_limits_can_be_set() -> None:
    text = "[" * 10 + "]" * 10
    assert parse_yaml(text) is not None
    with pytest.raises(OpsError, match="deeper than 9"):
        parse_yaml(text, limits=Limits(depth=9))


def test_a_playbook_of_5000_lines_is_read_in_well_under_a_second() -> None:
    task = textwrap.dedent("""\
        - name: Install {{ item }}
          apt: {name: "{{ item }}", state: present}
          loop: [a, b, c]
          when: ansible_os_family == "Debian"
          tags: [packages]
    """)
    started = time.process_time()
    node = parse_yaml(task * 1000)
    assert time.process_time() - started < 0.5
    assert isinstance(node, ListNode) and len(node) == 1000
