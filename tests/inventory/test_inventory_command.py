"""`opsplay inventory`: what it prints, and where its warnings and errors go."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from opsplay.cli.inventory import inventory
from opsplay.errors import OpsError

CASES = Path(__file__).parent / "cases"
HOSTS = str(CASES / "groups" / "hosts.yml")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(inventory, list(arguments), catch_exceptions=False)


def test_list_in_three_forms() -> None:
    data = json.loads(run("list", "-i", HOSTS).stdout)
    assert data["west"] == {"hosts": ["w1", "e1"]} and data["_meta"]["hostvars"]["w2"]["y"] == "{{ top }}"
    tree = yaml.safe_load(run("list", "-i", HOSTS, "--yaml").stdout)
    assert tree["all"]["children"]["west"]["hosts"]["w1"] == {"top": 1, "v": "west"}
    tables = tomllib.loads(run("list", "-i", HOSTS, "--toml").stdout)
    assert tables["east"]["hosts"]["e9"] == {"ansible_port": 2222, "top": 1, "v": "east"}


def test_limit_and_export() -> None:
    data = json.loads(run("list", "-i", HOSTS, "--limit", "w1", "--export").stdout)
    assert data["west"] == {"hosts": ["w1"], "vars": {"v": "west"}} and data["_meta"]["hostvars"] == {}


def test_host_and_graph() -> None:
    assert json.loads(run("host", "-i", HOSTS, "e1").stdout) == {"top": 1, "v": "east", "x": 1}
    assert run("host", "-i", HOSTS, "e1", "--toml").stdout == 'top = 1\nv = "east"\nx = 1\n'
    assert run("graph", "-i", HOSTS, "web").stdout == "@web:\n  |--e2\n  |--w2\n"


def test_output_goes_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert run("list", "-i", HOSTS, "--output", str(path)).stdout == ""
    assert "west" in json.loads(path.read_text())


def test_warnings_go_to_stderr() -> None:
    result = run("list", "-i", HOSTS, "--limit", "wst")
    assert json.loads(result.stdout)["_meta"]["hostvars"] == {}
    assert 'Did you mean "west"?' in result.stderr


@pytest.mark.parametrize("arguments", [("host", "e11"), ("graph", "wets")])
def test_unknown_names(arguments: tuple[str, str]) -> None:
    with pytest.raises(OpsError) as caught:
        run(arguments[0], "-i", HOSTS, arguments[1])
    assert "Did you mean" in caught.value.remedy


def test_a_playbooks_folder_counts_where_named(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("top: playbook\n")
    assert json.loads(run("host", "-i", HOSTS, "w1", "--playbook-dir", str(tmp_path)).stdout)["top"] == "playbook"
