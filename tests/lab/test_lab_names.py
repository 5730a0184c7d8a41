"""The names that `--hosts` stands for."""

import pytest

from opsplay.errors import OpsError
from opsplay.lab.hosts import STANDARD, host_names, role_of


def test_none_asked_means_the_standard_four() -> None:
    assert host_names(None) == STANDARD


def test_a_number_adds_plain_hosts_to_the_standard_four() -> None:
    assert host_names(6) == (*STANDARD, "node1", "node2")
    assert host_names(2) == ("web1", "web2")


@pytest.mark.parametrize("asked", [0, -1, 201, [], ["web1", "web1"], ["Web1"], ["a b"], ["../x"], [""]])
def test_impossible_hosts_are_refused_with_an_example(asked: object) -> None:
    with pytest.raises(OpsError) as raised:
        host_names(asked)  # type: ignore[arg-type]
    assert raised.value.code == "lab-bad-hosts"
    assert "opsplay lab up --hosts" in raised.value.remedy


@pytest.mark.parametrize(
    ("name", "role"), [("web1", "web"), ("db2", "db"), ("cache1", "cache"), ("node1", "plain"), ("website", "plain")]
)
def test_a_name_says_its_role(name: str, role: str) -> None:
    assert role_of(name) == role
