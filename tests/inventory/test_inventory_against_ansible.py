"""Inventories read as Ansible reads them: cases/NAME and what ansible-inventory printed for it (cases/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsplay.inventory.inventory import Inventory
from opsplay.inventory.listing import inventory_graph, inventory_list, inventory_tree
from opsplay.inventory.load import load_inventory
from opsplay.inventory.writing import to_json, to_yaml

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


def test_the_cases_were_found() -> None:
    assert len(NAMES) >= 8


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def load(name: str) -> Inventory:
    scripts = list((CASES / name).glob("*.sh"))
    return load_inventory([str(scripts[0] if scripts else CASES / name)])


def unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: unwrapped(item) for key, item in value.items()}
    return [unwrapped(item) for item in value] if isinstance(value, list) else value


def test_list(case: str) -> None:
    expected = json.loads((CASES / f"{case}.list.json").read_text())
    expected["_meta"]["profile"] = "inventory_legacy"  # since ansible-core 2.19, newer than the recordings
    assert unwrapped(json.loads(to_json(inventory_list(load(case))))) == expected


def test_graph_with_variables(case: str) -> None:
    assert inventory_graph(load(case), variables=True) == (CASES / f"{case}.graph.txt").read_text()


def test_export_as_yaml(case: str) -> None:
    text = to_yaml(inventory_tree(load(case), export=True))
    assert yaml.safe_load(text) == yaml.safe_load((CASES / f"{case}.export.yml").read_text())
