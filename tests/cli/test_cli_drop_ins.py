"""ansible-inventory, ansible-config, ansible-doc, ansible-galaxy and opsplay doc."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Ran

ROOT = Path(__file__).parent.parent.parent


def test_inventory_list_host_graph(drop_in: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("hosts.yml", "web:\n  hosts: {w1: {x: !unsafe a, y: '{{ x }}'}}\n")
    listed = json.loads(drop_in("ansible-inventory", "-i", "hosts.yml", "--list").out)
    assert listed["_meta"] == {"hostvars": {"w1": {"x": {"__ansible_unsafe": "a"}, "y": "{{ x }}"}}, "profile": "inventory_legacy"}
    assert json.loads(drop_in("ansible-inventory", "-i", "hosts.yml", "--host", "w1").out)["y"] == "{{ x }}"
    assert drop_in("ansible-inventory", "-i", "hosts.yml", "--graph").out == "@all:\n  |--@ungrouped:\n  |--@web:\n  |  |--w1\n"
    assert yaml.safe_load(drop_in("ansible-inventory", "-i", "hosts.yml", "--list", "-y", "-l", "!w1").out) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No action selected, at least one of --host, --graph or --list needs to be specified."),
        (("--list", "--graph"), "only one of --host, --graph or --list"),
        (("--graph", "nope"), "Pattern must be valid group name when using --graph"),
        (("--host", "nope"), "You must pass a single valid host to --host parameter"),
    ],
)
def test_inventory_usage(drop_in: Callable[..., Ran], arguments: tuple[str, ...], message: str) -> None:
    ran = drop_in("ansible-inventory", "-i", "a,", *arguments)
    assert ran.code == 5 and message in ran.err and ran.out == ""


def test_an_inventory_that_cannot_be_read_is_left_out(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-inventory", "-i", "nowhere", "--list")
    assert ran.code == 0 and "Unable to parse nowhere as an inventory source" in ran.err and "No inventory was parsed" in ran.err


def test_toml_is_toml(drop_in: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    import tomllib

    write("h.yml", "g:\n  hosts: {h: {l: [1, {a: b}], d: {x: {y: 1}}, 'ž': 1.5, t: true}}\n")
    data = tomllib.loads(drop_in("ansible-inventory", "-i", "h.yml", "--list", "--toml").out)
    assert data["g"]["hosts"]["h"] == {"l": [1, {"a": "b"}], "d": {"x": {"y": 1}}, "ž": 1.5, "t": True}


def test_config_says_who_set_what(drop_in: Callable[..., Ran], write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    write("ansible.cfg", "[defaults]\nforks = 3\nnonsense = 1\n")
    monkeypatch.setenv("ANSIBLE_TIMEOUT", "7")
    out = drop_in("ansible-config", "dump", "--only-changed").out
    assert f"DEFAULT_FORKS({Path('ansible.cfg').absolute()}) = 3\n" in out and "DEFAULT_TIMEOUT(env: ANSIBLE_TIMEOUT) = 7\n" in out
    assert drop_in("ansible-config", "view").out == Path("ansible.cfg").read_text()
    assert yaml.safe_load(drop_in("ansible-config", "list").out)["DEFAULT_FORKS"]["ini"] == [{"key": "forks", "section": "defaults"}]
    ran = drop_in("ansible-config", "validate")
    assert ran.code == 1 and "nonsense in section [defaults]" in ran.err


def test_config_init_can_be_read_back(drop_in: Callable[..., Ran]) -> None:
    from opsplay.settings import read_config

    Path("made.cfg").write_text(drop_in("ansible-config", "init").out)
    assert read_config(Path("made.cfg"))["defaults"]["gathering"] == "implicit"
    assert drop_in("ansible-config", "validate", "-c", "made.cfg").code == 0


def test_doc_of_a_module(opsplay: Callable[..., Ran], drop_in: Callable[..., Ran]) -> None:
    out = opsplay("doc", "lineinfile").out
    assert "ansible.builtin.lineinfile" in out and "* path  (path; also dest, destfile, name)" in out and "EXAMPLES" in out
    data = json.loads(drop_in("ansible-doc", "copy", "--json").out)["ansible.builtin.copy"]
    assert data["doc"]["options"]["dest"]["required"] is True
    assert yaml.safe_load(opsplay("doc", "-s", "copy").out)[0]["ansible.builtin.copy"].keys() >= {"src", "dest"}


def test_every_module_has_a_document(opsplay: Callable[..., Ran]) -> None:
    names = json.loads(opsplay("doc", "--list", "--json").out)
    assert len(names) > 90 and all(names.values())
    ran = opsplay("doc", *names)
    assert ran.code == 0 and ran.out.count("\n> ") + 1 == len(names)


def test_the_page_of_modules_is_up_to_date() -> None:
    from opsplay.reference.pages import index

    assert (ROOT / "docs/reference/modules/README.md").read_text() == index(), "opsplay doc --write-pages docs/reference/modules"


def test_doc_of_yours_and_of_what_is_not_there(opsplay: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("library/mine.py", 'DOCUMENTATION = """\nshort_description: Mine.\noptions:\n  a: {type: str, description: An A.}\n"""\n')
    assert "Mine." in opsplay("doc", "mine").out and "mine" in opsplay("doc", "--list").out
    ran = opsplay("doc", "lineinfil")
    assert ran.code == 1 and 'Did you mean "lineinfile"?' in ran.err
    assert 'Did you mean "basename"?' in opsplay("doc", "-t", "filter", "basenam").err


def test_galaxy_installs_roles(drop_in: Callable[..., Ran]) -> None:
    assert drop_in("ansible-galaxy", "role", "init", "r1").out == "- Role r1 was created successfully\n"
    with tarfile.open("r1.tar.gz", "w:gz") as archive:
        archive.add("r1")
    Path("req.yml").write_text("roles:\n- src: r1.tar.gz\n  name: other\n")
    assert "- r1 was installed successfully" in drop_in("ansible-galaxy", "install", "r1.tar.gz", "-p", "roles").out
    assert "already installed" in drop_in("ansible-galaxy", "install", "r1.tar.gz", "-p", "roles").out
    assert drop_in("ansible-galaxy", "install", "-r", "req.yml", "-p", "roles").code == 0
    assert "- other, " in drop_in("ansible-galaxy", "role", "list", "-p", "roles").out and Path("roles/other/tasks/main.yml").exists()
    assert [path.name for path in Path("roles").iterdir() if path.name.startswith(".")] == []


def test_galaxy_installs_collections(drop_in: Callable[..., Ran]) -> None:
    drop_in("ansible-galaxy", "collection", "init", "a.b")
    assert "a.b:1.0.0 was installed successfully" in drop_in("ansible-galaxy", "collection", "install", "a/b", "-p", "cc").out
    listed = json.loads(drop_in("ansible-galaxy", "collection", "list", "-p", "cc", "--format", "json").out)
    assert listed == {"cc/ansible_collections": {"a.b": {"version": "1.0.0"}}}


def test_galaxy_asks_no_server(drop_in: Callable[..., Ran]) -> None:
    ran = drop_in("ansible-galaxy", "install", "geerlingguy.nginx")
    assert ran.code == 1 and "asks no server" in ran.err
    assert drop_in("ansible-galaxy", "collection", "publish", "x").code == 1


def test_galaxy_leaves_what_reaches_outside(drop_in: Callable[..., Ran]) -> None:
    import io

    with tarfile.open("evil.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("r/../../outside")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    ran = drop_in("ansible-galaxy", "install", "evil.tar.gz", "-p", "roles")
    assert ran.code == 1 and "is not a subpath of the role" in ran.err and not Path("../outside").exists()


def test_galaxy_goes_on_after_errors_that_are_to_be_ignored(drop_in: Callable[..., Ran]) -> None:
    drop_in("ansible-galaxy", "role", "init", "r1")
    Path("req.yml").write_text("roles:\n- name: acme.none\n- src: r1\n")
    ran = drop_in("ansible-galaxy", "install", "acme.other", "-r", "req.yml", "-p", "roles", "--ignore-errors")
    assert ran.code == 0 and "acme.none" in ran.err and "acme.other" in ran.err
    assert Path("roles/r1/tasks/main.yml").exists()


def test_galaxy_finds_the_role_deep_in_an_archive(drop_in: Callable[..., Ran]) -> None:
    drop_in("ansible-galaxy", "role", "init", "some/folders/r1")
    with tarfile.open("r1.tar.gz", "w:gz") as archive:
        archive.add("some/folders/r1")
    assert drop_in("ansible-galaxy", "install", "r1.tar.gz", "-p", "roles").code == 0
    assert Path("roles/r1/tasks/main.yml").exists()


def test_version_is_quick() -> None:
    """The promise: under 0.15 s of CPU; the best of three, as the machine is shared."""
    import resource

    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "from opsplay.cli.main import main; main(['--version'])"], check=True, timeout=30, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.15


def test_playbooks_of_collections_by_their_full_names(drop_in: Callable[..., Ran], write: Callable[[str, str], Path]) -> None:
    write("collections/ansible_collections/acme/tools/playbooks/site.yml", "- hosts: localhost\n  gather_facts: false\n  tasks: [debug: {msg: here}]\n")
    ran = drop_in("ansible-playbook", "acme.tools.site")
    assert ran.code == 0 and '"msg": "here"' in ran.out
    assert "could not be found" in drop_in("ansible-playbook", "acme.tools.none").err
