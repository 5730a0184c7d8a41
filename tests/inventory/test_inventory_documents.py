"""The example inventory and the reference's snippets are read as they say."""

from __future__ import annotations

import re
from pathlib import Path

from opsplay.inventory.listing import flattened
from opsplay.inventory.load import load_inventory

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/inventory.md").read_text()


def test_the_example_inventory() -> None:
    inventory = load_inventory([str(ROOT / "inventories/production.example")])
    assert inventory.notices == []
    assert inventory.select("web:&eu") == ["web01.shop.example", "web02.shop.example"]
    assert inventory.select("postgres_primaries") == ["db01.shop.example"]
    assert inventory.select("site_none") == ["legacy.shop.example"]
    replica = flattened(inventory.host_layers("db02.shop.example"))
    assert (replica["postgres_role"], replica["backup_enabled"], replica["site"]) == ("replica", False, "us")


def snippet(language: str, tmp_path: Path, name: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", REFERENCE, re.DOTALL)
    assert found is not None
    (tmp_path / name).write_text(found[1])
    return str(tmp_path / name)


def test_the_references_ini(tmp_path: Path) -> None:
    inventory = load_inventory([snippet("ini", tmp_path, "hosts")])
    assert inventory.group_names("mail.example.com") == ["ungrouped"] and len(inventory.select("production")) == 21
    assert flattened(inventory.host_layers("web99")) == {
        "http_port": 8080,
        "motd": "Hello # this is part of the value",
        "ansible_port": 2222,
        "tags": ["a", "b"],
    }


def test_the_references_yaml(tmp_path: Path) -> None:
    inventory = load_inventory([snippet("yaml", tmp_path, "hosts.yml")])
    assert inventory.select("canary") == ["web01.example.com"] and len(inventory.select("web")) == 21
