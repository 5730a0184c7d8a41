"""Settings from the environment and ansible.cfg: what their texts mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.settings import Settings, load_settings


def test_an_empty_number_is_none_given(tmp_path: Path) -> None:
    assert load_settings({"ANSIBLE_TIMEOUT": ""}, tmp_path).timeout == Settings().timeout


def test_a_number_that_is_none_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="Config 'timeout' has an invalid value: it is a whole number, not 'lola'"):
        load_settings({"ANSIBLE_TIMEOUT": "lola"}, tmp_path)


def test_collections_are_found_below_and_beside_ansible_collections(tmp_path: Path) -> None:
    settings = load_settings({"ANSIBLE_COLLECTIONS_PATH": "/a/ansible_collections:/b:c/ansible_collections/"}, tmp_path)
    assert settings.collections_path == ("/a", "/b", str(tmp_path / "c"))


def test_the_fact_cache_has_ansibles_names(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text(
        "[defaults]\nfact_caching = jsonfile\nfact_caching_connection = facts\nfact_caching_timeout = 0\n"
    )
    settings = load_settings({"ANSIBLE_CACHE_PLUGIN_PREFIX": "lab_"}, tmp_path)
    assert (settings.fact_caching, settings.fact_caching_timeout, settings.fact_caching_prefix) == (
        "jsonfile",
        0,
        "lab_",
    )
    assert settings.fact_caching_connection == "facts"
