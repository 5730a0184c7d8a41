"""Facts kept on disk: what a run learns is there for the next one; only data, only ours, only while it is fresh."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from opsplay.events import Notice
from tests.engine.playing import Played, play, write_inventory

GATHER = "- hosts: all\n  gather_facts: true\n  gather_subset: ['!all']\n"
SHOW = '- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: {msg: \'{{ ansible_facts.system | default("none") }} {{ kept | default("none") }}\'}\n'
KEEP = "- hosts: all\n  gather_facts: false\n  tasks:\n    - set_fact: {kept: [1, {a: b}], cacheable: true}\n    - set_fact: {lost: 1}\n"


class Folder:
    """A folder with a cache; each `run` is a run of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = path / "cache"
        self.hosts = ["h1"]

    def run(
        self,
        text: str,
        fact_caching: str = "jsonfile",
        gathering: str = "implicit",
        flush_cache: bool = False,
        limit: str | None = None,
        **settings: Any,
    ) -> Played:
        (self.path / "play.yml").write_text(text)
        connection = {"fact_caching_connection": str(self.cache), **settings}
        return play(
            self.path,
            inventory=[write_inventory(self.path, self.hosts)],
            settings={"fact_caching": fact_caching, "gathering": gathering, **connection},
            flush_cache=flush_cache,
            limit=limit,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def warnings(played: Played) -> list[str]:
    return [event.message for event in played.events if isinstance(event, Notice) and event.level == "warning"]


def test_gathered_facts_are_there_in_the_next_run(folder: Folder) -> None:
    assert folder.run(GATHER).code == 0
    assert folder.run(SHOW).said() == ["h1: Linux none"]


def test_memory_forgets(folder: Folder) -> None:
    folder.run(GATHER, fact_caching="memory")
    assert folder.run(SHOW, fact_caching="memory").said() == ["h1: none none"]
    assert not folder.cache.exists()


def test_only_cacheable_set_facts_are_kept_and_beside_gathered_ones(folder: Folder) -> None:
    folder.run(KEEP)
    assert json.loads((folder.cache / "h1").read_text()) == {"kept": [1, {"a": "b"}]}
    assert folder.run(SHOW).said() == ["h1: none [1, {'a': 'b'}]"]
    folder.run(GATHER)
    assert folder.run(SHOW).said() == ["h1: Linux [1, {'a': 'b'}]"]


def test_kept_set_facts_have_the_precedence_of_facts(folder: Folder) -> None:
    folder.run(KEEP)
    text = SHOW.replace("  tasks:", "  vars: {kept: of the play}\n  tasks:")
    assert folder.run(text).said() == ["h1: none of the play"]


def test_files_are_private_and_whole(folder: Folder) -> None:
    before = os.umask(0)
    try:
        folder.run(GATHER)
    finally:
        os.umask(before)
    assert [entry.name for entry in folder.cache.iterdir()] == ["h1"], "no temporary file is left"
    assert (folder.cache / "h1").stat().st_mode & 0o777 == 0o600
    assert folder.cache.stat().st_mode & 0o777 == 0o700
    facts = json.loads((folder.cache / "h1").read_text())
    assert facts["ansible_system"] == "Linux"
    assert facts["_ansible_facts_gathered"] is True


def test_prefix(folder: Folder) -> None:
    folder.run(KEEP, fact_caching_prefix="lab_")
    assert [entry.name for entry in folder.cache.iterdir()] == ["lab_h1"]
    assert folder.run(SHOW).said() == ["h1: none none"]


def test_smart_gathers_a_host_once_over_plays_and_runs(folder: Folder) -> None:
    both = "- hosts: all\n  gather_subset: ['!all']\n" * 2
    assert folder.run(both, gathering="smart").trace() == ["h1 Gathering Facts: ok"]
    assert folder.run(both, gathering="smart").trace() == []
    assert folder.run(GATHER, gathering="smart").trace() == [], "gather_facts: true asks for facts, not for new ones"
    assert folder.run(both).trace() == ["h1 Gathering Facts: ok"] * 2, "implicit: each play"


def test_smart_decides_host_by_host(folder: Folder) -> None:
    folder.run(GATHER)
    folder.hosts = ["h1", "h2"]
    text = "- hosts: all\n  gather_subset: ['!all']\n  tasks:\n    - debug: {msg: '{{ ansible_facts.system }}'}\n"
    played = folder.run(text, gathering="smart")
    assert played.trace()[0] == "h2 Gathering Facts: ok"
    assert sorted(played.trace()[1:]) == ["h1 debug: ok", "h2 debug: ok"]


def test_smart_is_not_misled_by_a_set_fact(folder: Folder) -> None:
    folder.run(KEEP)
    assert folder.run("- hosts: all\n  gather_subset: ['!all']\n", gathering="smart").trace() == [
        "h1 Gathering Facts: ok"
    ]


def test_clear_facts_forgets_on_disk(folder: Folder) -> None:
    folder.run(GATHER)
    folder.run("- hosts: all\n  gather_facts: false\n  tasks:\n    - meta: clear_facts\n")
    assert list(folder.cache.iterdir()) == []
    assert folder.run(SHOW).said() == ["h1: none none"]


def test_flush_cache_forgets_the_hosts_in_limit(folder: Folder) -> None:
    folder.hosts = ["h1", "h2"]
    folder.run(GATHER)
    assert folder.run(SHOW, flush_cache=True, limit="h2").said() == ["h2: none none"]
    assert sorted(folder.run(SHOW).said()) == ["h1: Linux none", "h2: none none"]


def test_old_facts_are_none_and_0_means_for_ever(folder: Folder) -> None:
    folder.run(GATHER)
    long_ago = time.time() - 1000
    os.utime(folder.cache / "h1", (long_ago, long_ago))
    assert folder.run(SHOW, fact_caching_timeout=900).said() == ["h1: none none"]
    assert folder.run(SHOW, fact_caching_timeout=0).said() == ["h1: Linux none"]
    assert folder.run(SHOW, fact_caching_timeout=1100).said() == ["h1: Linux none"]


@pytest.mark.parametrize("broken", [b"", b"{", b"[1]", b"\xff\xfe{}", b"[" * 100_000, b"csome\nmodule\n."])
def test_a_broken_file_is_ignored_with_a_warning_and_mended(folder: Folder, broken: bytes) -> None:
    folder.cache.mkdir()
    (folder.cache / "h1").write_bytes(broken)
    played = folder.run(SHOW + GATHER)
    assert played.code == 0
    assert played.said()[0] == "h1: none none"
    assert len([text for text in warnings(played) if "h1 are ignored" in text]) == 1
    assert folder.run(SHOW).said() == ["h1: Linux none"]


def test_a_link_is_not_followed(folder: Folder) -> None:
    folder.cache.mkdir()
    (folder.path / "planted").write_text('{"ansible_system": "planted"}')
    (folder.cache / "h1").symlink_to(folder.path / "planted")
    played = folder.run(SHOW + GATHER)
    assert played.said()[0] == "h1: none none"
    assert "planted" in (folder.path / "planted").read_text()
    assert not (folder.cache / "h1").is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_somebody_else_is_ignored(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.run(KEEP)
    os.chown(folder.cache / "h1", 12345, 12345)
    played = folder.run(SHOW)
    assert played.said() == ["h1: none none"]
    assert "belongs to user 12345" in warnings(played)[0]


def test_cached_facts_are_data_and_do_not_steer_the_controller(folder: Folder) -> None:
    folder.cache.mkdir()
    planted = {
        "ansible_system": "{{ lookup('pipe', 'id') }}",
        "ansible_connection": "ssh",
        "ansible_host": "elsewhere",
        "ansible_become_exe": "/bin/evil",
    }
    (folder.cache / "h1").write_text(json.dumps(planted))
    assert folder.run(SHOW).said() == ["h1: {{ lookup('pipe', 'id') }} none"]


def test_a_host_name_stays_in_the_folder(tmp_path: Path) -> None:
    from opsplay.variables.fact_cache import FactCache

    cache = FactCache(tmp_path / "cache", "", 0, lambda text: None)
    cache.folder.mkdir()
    for name in ("../out", "..", ".hidden", "a/b", "räksmörgås", "2001:db8::1"):
        cache.store(name, {"name": name}, False)
        assert cache.load(name) == {"name": name}
    assert [entry.name for entry in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fact_caching": "redis"}, "Unable to load the facts cache plugin 'redis'"),
        ({"fact_caching_connection": None}, "needs fact_caching_connection"),
        ({"fact_caching_connection": "/proc/none"}, "does not have necessary permissions"),
    ],
)
def test_a_cache_that_cannot_be_used_is_said_and_the_run_goes_on(
    folder: Folder, settings: dict[str, Any], said: str
) -> None:
    played = folder.run(SHOW, **settings)
    assert played.code == 0
    assert [said in text for text in warnings(played)] == [True]


def test_what_cannot_be_written_is_a_warning(folder: Folder) -> None:
    folder.cache.mkdir()
    (folder.cache / "h1").mkdir()
    played = folder.run(GATHER)
    assert played.code == 0
    assert "cannot be kept" in " ".join(warnings(played))
    assert [entry.name for entry in folder.cache.iterdir()] == ["h1"]


def test_facts_of_a_failed_run_are_kept(folder: Folder) -> None:
    played = folder.run(KEEP + "    - fail:\n")
    assert played.code == 2
    assert folder.run(SHOW).said() == ["h1: none [1, {'a': 'b'}]"]


def test_delegated_facts_are_kept_for_the_host_they_describe(folder: Folder) -> None:
    folder.hosts = ["h1", "h2"]
    folder.run(
        "- hosts: h1\n  gather_facts: false\n  tasks:\n    - {setup: {gather_subset: '!all'}, delegate_to: h2, delegate_facts: true}\n"
    )
    assert sorted(folder.run(SHOW).said()) == ["h1: none none", "h2: Linux none"]
