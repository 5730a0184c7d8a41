"""Host patterns and --limit, as Ansible documents them."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.inventory.inventory import Inventory
from opsplay.inventory.load import load_inventory
from opsplay.inventory.settings import InventorySettings

TEXT = """
lone
[east]
e[1:3]
[west]
w1
e1
[web]
e2
w2
[prod:children]
east
web
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    path = tmp_path / "hosts"
    path.write_text(TEXT)
    return load_inventory([str(path)])


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("all", "lone w1 e1 e2 e3 w2"),
        ("*", "lone w1 e1 e2 e3 w2"),
        ("east", "e1 e2 e3"),
        ("prod", "e1 e2 e3 w2"),
        ("east:west", "e1 e2 e3 w1"),
        ("west,east", "w1 e1 e2 e3"),
        ("web:&east", "e2"),
        ("web:!east", "w2"),
        ("!east:web", "w2"),
        ("east:&prod:!e3", "e1 e2"),
        ("!east", "lone w1 w2"),
        ("&east", "e1 e2 e3"),
        ("e?", "e1 e2 e3"),
        ("w*", "w1 e1 e2 w2"),
        ("e[1-2]", ""),
        ("e[12]", ""),
        ("~e[13]", "e1 e3"),
        ("~(w1|lo)", "lone w1"),
        ("east[0]", "e1"),
        ("east[-1]", "e3"),
        ("east[-2]", "e2"),
        ("east[0:1]", "e1 e2"),
        ("east[1:]", "e2 e3"),
        ("east[0-1]", "e1 e2"),
        ("east[7]", ""),
        ("east[0]:west[0]", "e1 w1"),
        ("ungrouped", "lone"),
        ("e1,e1,w1", "e1 w1"),
        ("all:!e*:!w*", "lone"),
        ("localhost", "localhost"),
        ("all:!localhost", "lone w1 e1 e2 e3 w2"),
        ("", "lone w1 e1 e2 e3 w2"),
    ],
)
def test_pattern(inventory: Inventory, pattern: str, hosts: str) -> None:
    assert inventory.select(pattern) == list(dict.fromkeys(hosts.split()))


@pytest.mark.parametrize(
    ("limit", "hosts"),
    [
        ("e2", "e2"),
        ("!e2", "lone w1 e1 e3 w2"),
        ("web", "e2 w2"),
        ("web,&east", "e2"),
        ("e3:e1", "e1 e3"),
        ("nope", ""),
    ],
)
def test_limit(inventory: Inventory, limit: str, hosts: str) -> None:
    assert inventory.select("all", limit) == hosts.split()


def test_limit_from_a_file(inventory: Inventory, tmp_path: Path) -> None:
    path = tmp_path / "play.retry"
    path.write_text("e1\nweb\n\n!w2\n")
    assert inventory.select("all", f"@{path}") == ["e1", "e2"]
    with pytest.raises(OpsError) as caught:
        inventory.select("all", f"@{path}.none")
    assert caught.value.code == "limit-file-not-read"


def test_what_matches_nothing_is_a_warning_with_a_suggestion(inventory: Inventory) -> None:
    warnings: list[str] = []
    assert inventory.select("eastt", warn=warnings.append) == []
    assert warnings == ['Could not match supplied host pattern, ignoring: eastt. Did you mean "east"?']


def test_or_an_error_where_the_settings_say_so(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(TEXT)
    inventory = load_inventory([str(tmp_path / "hosts")], InventorySettings(pattern_mismatch="error"))
    with pytest.raises(OpsError, match="Could not match supplied host pattern, ignoring: eastt"):
        inventory.select("eastt")


def test_a_bad_regular_expression(inventory: Inventory) -> None:
    with pytest.raises(OpsError) as caught:
        inventory.select("~(")
    assert caught.value.code == "pattern-bad-regex"


def test_ipv6_and_ports() -> None:
    inventory = load_inventory(["[2001:db8::1]:2222,::1,web1:22,db[1:3].x,"])
    assert list(inventory.hosts) == ["2001:db8::1", "::1", "web1", "db1.x", "db2.x", "db3.x"]
    assert inventory.select("2001:db8::1") == ["2001:db8::1"]
    assert inventory.select("all:!2001:db8::1") != []
    assert [layer.values for layer in inventory.host_layers("web1")] == [{"ansible_port": 22}]
