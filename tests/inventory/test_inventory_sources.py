"""Sources and settings: scripts, precedence, folders of variables, what a task adds, and how long it all takes."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.inventory.inventory import Inventory
from opsplay.inventory.listing import flattened
from opsplay.inventory.live import LiveInventory
from opsplay.inventory.load import load_inventory
from opsplay.inventory.settings import InventorySettings
from opsplay.inventory.vars_files import vars_files_for
from opsplay.settings import Settings
from opsplay.templating.template import Template
from opsplay.templating.values import Vaulted
from opsplay.vault.secrets import Secret, VaultSecrets


def write(path: Path, text: str, executable: bool = False) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if executable:
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def values(inventory: Inventory, host: str, playbook_dir: Path | None = None) -> dict[str, object]:
    return flattened(inventory.host_layers(host, None if playbook_dir is None else str(playbook_dir)))


def test_precedence_is_the_documented_one(tmp_path: Path) -> None:
    """Each place sets one name that only higher places set too, so that the winner of each name tells the order."""
    names = [
        "source_all",
        "source_web",
        "inv_all",
        "play_all",
        "inv_web",
        "play_web",
        "source_host",
        "inv_host",
        "play_host",
    ]

    def at(place: str, form: str = "{}: {}\n") -> str:
        return "".join(form.format(name, place) for name in names[: names.index(place) + 1])

    inventory = "[web]\nw1 " + at("source_host", "{}={} ").strip()
    inventory += "\n[all:vars]\n" + at("source_all", "{}={}\n") + "[web:vars]\n" + at("source_web", "{}={}\n")
    source = write(tmp_path / "inv/hosts", inventory)
    for base, owner in (("inv", "inv"), ("play", "play")):
        write(tmp_path / base / "group_vars/all.yml", at(f"{owner}_all"))
        write(tmp_path / base / "group_vars/web.yml", at(f"{owner}_web"))
        write(tmp_path / base / "host_vars/w1.yml", at(f"{owner}_host"))
    loaded = load_inventory([source])
    assert values(loaded, "w1", tmp_path / "play") == {name: "play_host" for name in names}
    titles = [layer.title for layer in loaded.host_layers("w1", str(tmp_path / "play"))]
    assert titles == [
        "inventory file hosts [all:vars]",
        "inventory file hosts [web:vars]",
        "inventory group_vars/all.yml",
        "playbook group_vars/all.yml",
        "inventory group_vars/web.yml",
        "playbook group_vars/web.yml",
        "inventory file hosts",
        "inventory host_vars/w1.yml",
        "playbook host_vars/w1.yml",
    ]
    changed = load_inventory([source], Settings(precedence=("all_plugins_inventory", "all_inventory")))
    assert [layer.title for layer in changed.host_layers("w1")][:2] == titles[2::-2]


def test_of_groups_the_deeper_then_the_higher_priority_then_the_later_name_wins(tmp_path: Path) -> None:
    text = "h\n[a]\nh\n[b]\nh\n[c:children]\na\n[a:vars]\nv=a\nw=a\n[b:vars]\nv=b\nx=b\n[c:vars]\nv=c\nw=c\nx=c\n"
    assert values(load_inventory([write(tmp_path / "1", text)]), "h") == {"v": "a", "w": "a", "x": "c"}
    text += "[b:vars]\nansible_group_priority=10\n"
    loaded = load_inventory([write(tmp_path / "2", text)])
    assert values(loaded, "h") == {"v": "a", "w": "a", "x": "b"}
    assert loaded.host_groups("h") == ("all", "c", "b", "a") and loaded.group_names("h") == ["a", "b", "c"]


def test_later_sources_win(tmp_path: Path) -> None:
    first = write(tmp_path / "a/hosts", "[web]\nw1 v=1 only=first\n")
    second = write(tmp_path / "b/hosts.yml", "web:\n  hosts:\n    w1: {v: 2}\n    w2:\n")
    loaded = load_inventory([first, second, "w3,"])
    assert loaded.select("all") == ["w3", "w1", "w2"]
    assert values(loaded, "w1") == {"v": 2, "only": "first"}


def test_vars_files_found(tmp_path: Path) -> None:
    base = tmp_path / "group_vars"
    for name in (
        "web.json",
        "web.yaml",
        "web.yml",
        "db/20.yml",
        "db/10",
        "db/sub/x.json",
        "db/.h.yml",
        "db/n.txt",
        "db/o~",
    ):
        write(base / name, "{}")
    (base / "web.yml").unlink()
    assert vars_files_for(str(tmp_path), "group_vars", "web") == [str(base / "web.yaml")]
    assert vars_files_for(str(tmp_path), "group_vars", "db") == [
        str(base / "db" / name) for name in ("10", "20.yml", "sub/x.json")
    ]
    for name in ("../etc/passwd", "..", "", "none"):
        assert vars_files_for(str(tmp_path), "group_vars", name) == []


def test_text_is_a_template_and_what_is_encrypted_stays_so(tmp_path: Path) -> None:
    secrets = VaultSecrets((Secret("default", b"pw"),))
    hosts = write(tmp_path / "hosts", "w1 a='{{ b }}' c=\"['{{ d }}']\"\n")
    lines = secrets.encrypt(b"hidden").replace("\n", "\n  ")
    write(tmp_path / "group_vars/all/plain.yml", f"s: !vault |\n  {lines}\n")
    write(tmp_path / "group_vars/all/vault.yml", secrets.encrypt(b"whole: file\n"))
    found = values(load_inventory([hosts], vault=secrets), "w1")
    assert found["a"] == Template("{{ b }}") and found["c"] == [Template("{{ d }}")] and found["whole"] == "file"
    assert isinstance(found["s"], Vaulted) and secrets.decrypt(found["s"].ciphertext) == b"hidden"
    with pytest.raises(OpsError) as caught:
        load_inventory([hosts]).host_layers("w1")
    assert caught.value.code == "vault-no-secret" and str(caught.value.where).endswith("vault.yml:1:1")


def test_an_encrypted_inventory(tmp_path: Path) -> None:
    secrets = VaultSecrets((Secret("default", b"pw"),))
    path = write(tmp_path / "hosts", secrets.encrypt(b"[web]\nw1 a=1\n"))
    assert load_inventory([path], vault=secrets).select("web") == ["w1"]


def test_a_script_is_asked_for_each_host_where_it_has_no_meta(tmp_path: Path) -> None:
    text = """#!/bin/sh
if [ "$1" = --list ]; then echo '{"web": {"hosts": ["w1", "w2"]}}'; fi
if [ "$1" = --host ]; then echo "{\\"name\\": \\"$2\\"}"; fi
"""
    loaded = load_inventory([write(tmp_path / "dyn", text, executable=True)])
    assert [values(loaded, host) for host in loaded.select("web")] == [{"name": "w1"}, {"name": "w2"}]


def test_a_slow_script_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    path = write(tmp_path / "slow", f"#!/bin/sh\n(sleep 1; touch {mark}) &\nsleep 30\n", executable=True)
    started = time.monotonic()
    with pytest.raises(OpsError) as caught:
        load_inventory([path], InventorySettings(script_timeout=0.3))
    assert caught.value.code == "inventory-script-timeout" and time.monotonic() - started < 5
    time.sleep(1.2)
    assert not mark.exists()


def test_an_executable_text_is_read_as_text(tmp_path: Path) -> None:
    assert load_inventory([write(tmp_path / "hosts", "[web]\nw1\n", executable=True)]).select("web") == ["w1"]


def test_a_source_that_cannot_be_read_is_an_error_or_a_warning(tmp_path: Path) -> None:
    good, bad = (
        write(tmp_path / "good", "w1\n"),
        write(tmp_path / "bad.yml", "web: {hosts: {w2: }}\nall: {vars: [x]}\n"),
    )
    with pytest.raises(OpsError):
        load_inventory([good, bad])
    loaded = load_inventory([good, bad], InventorySettings(unparsed="warn"))
    assert loaded.select("all") == ["w1"] and "bad.yml" in loaded.notices[0]
    with pytest.raises(OpsError) as caught:
        load_inventory([str(tmp_path / "none")])
    assert caught.value.code == "inventory-not-found" and "ends with a comma" in caught.value.remedy


def test_duplicates_may_be_warnings(tmp_path: Path) -> None:
    path = write(tmp_path / "h.yml", "all:\n  hosts:\n    w1: {a: 1}\n    w1: {a: 2}\n")
    loaded = load_inventory([path], InventorySettings(duplicates="warn"))
    assert values(loaded, "w1") == {"a": 2} and "already set" in loaded.notices[0]


@pytest.mark.parametrize(
    ("transform", "name", "said"),
    [("never", "a-b", 1), ("ignore", "a-b", 0), ("always", "a_b", 1), ("silently", "a_b", 0)],
)
def test_group_names_that_are_no_variable_names(tmp_path: Path, transform: str, name: str, said: int) -> None:
    settings = Settings(transform_invalid_group_chars=transform)
    loaded = load_inventory([write(tmp_path / "h", "[a-b]\nw1\n[c:children]\na-b\n")], settings)
    assert name in loaded.groups and len(loaded.notices) == said


def test_implicit_localhost_is_in_no_group_and_named_only(tmp_path: Path) -> None:
    loaded = load_inventory([write(tmp_path / "h", "[web]\nw1\n[all:vars]\nv=1\n")])
    assert "localhost" not in loaded.select("all") and loaded.select("localhost") == ["localhost"]
    assert loaded.host("localhost").implicit and loaded.group_names("localhost") == []
    found = values(loaded, "localhost")
    assert found["ansible_connection"] == "local" and found["v"] == 1
    with pytest.raises(KeyError):
        loaded.host("nope")


def test_what_tasks_add(tmp_path: Path) -> None:
    write(tmp_path / "group_vars/fresh.yml", "from_file: yes\n")
    live = LiveInventory([write(tmp_path / "h", "[web]\nw1\nw2\n")])
    before = live.current
    assert live.add_host("new:2200", ["fresh", "web"], {"x": 1}) is True
    assert live.add_host("new:2200", ["fresh"], {"x": 1}) is False
    assert live.add_host("new", [], {"x": 2}) is True
    assert values(live.current, "new") == {"ansible_port": 2200, "x": 2, "from_file": True}
    assert live.current.groups_dict()["web"] == ["w1", "w2", "new"] and before.select("all") == ["w1", "w2"]
    assert live.group_by("w1", "os Debian 12", ["os"]) is True
    assert live.group_by("w1", "os Debian 12", ["os"]) is False
    assert live.current.select("os") == ["w1"] and live.current.group_names("w1") == ["os", "os-Debian-12", "web"]
    with pytest.raises(OpsError, match="option"):
        live.add_host("-oProxyCommand=id")
    assert live.refresh().select("all") == ["w1", "w2", "new"]


def test_the_implicit_localhost_joins_groups_that_tasks_make_but_not_all(tmp_path: Path) -> None:
    live = LiveInventory([write(tmp_path / "h", "w1\n")])
    assert live.group_by("localhost", "is here") is True
    assert live.group_by("localhost", "is here") is False
    assert live.current.select("is-here") == ["localhost"] and live.current.select("all") == ["w1"]
    assert live.current.groups_dict() == {"all": ["w1"], "ungrouped": ["w1"], "is-here": ["localhost"]}
    assert values(live.current, "localhost")["ansible_connection"] == "local"
    assert live.refresh().select("is-here") == ["localhost"]


def test_ten_thousand_hosts(tmp_path: Path) -> None:
    lines = []
    for group in range(100):
        lines.append(f"[g{group}]")
        lines += [
            f"h{group}-{n}.example.com ansible_host=10.{group}.1.{n} ansible_user=ops rack='r {n}'" for n in range(100)
        ]
    lines += ["[big]", "b[00001:10000].example.com", "[everything:children]", "big", *(f"g{n}" for n in range(100))]
    path = write(tmp_path / "hosts", "\n".join(lines))
    write(tmp_path / "group_vars/everything.yml", "\n".join(f"v{n}: {n}" for n in range(500)))
    started = time.process_time()
    loaded = load_inventory([path])
    assert time.process_time() - started < 1.5
    assert len(loaded.hosts) == 20_000
    started = time.process_time()
    layers = [loaded.host_layers(name) for name in loaded.select("everything:!g7")]
    assert len(layers) == 19_900 and time.process_time() - started < 1.0
    shared = next(layer for layer in layers[0] if "everything" in layer.title)
    assert all(any(layer is shared for layer in own) for own in layers[:50]), "group variables are shared, not copied"


def script(folder: Path, answer: str, host: str = "{}", code: int = 0) -> str:
    (folder / "answer").write_text(answer)
    (folder / "host").write_text(host)
    text = f'#!/bin/sh\necho a word >&2\ncase "$1" in --list) cat {folder}/answer;; *) cat {folder}/host;; esac\nexit {code}\n'
    return write(folder / "dyn", text, executable=True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no JSON", "Unable to get JSON decoder for inventory script result. Value could not be parsed as JSON"),
        ('"text"', "Value is 'str' instead of 'dict'"),
        ('{"_meta": "text"}', "Value contains '_meta' which is 'str' instead of 'dict'"),
        ('{"_meta": {"hostvars": []}}', "Value contains '_meta.hostvars' which is 'list' instead of 'dict'"),
        ('{"_meta": {"profile": 1}}', "Value contains '_meta.profile' which is 'int' instead of 'str'"),
        ('{"_meta": {"profile": "other"}}', "Non-inventory profile 'other' is not allowed."),
        ('{"_meta": {"profile": "inventory_other"}}', "Unknown profile name 'inventory_other'"),
        ('{"web": null}', "Value contains 'web.hosts' which is 'NoneType' instead of 'list'"),
        ('{"web": {"vars": []}}', "Value contains 'web.vars' which is 'list' instead of 'dict'"),
        ('{"web": {"children": "db"}}', "Value contains 'web.children' which is 'str' instead of 'list'"),
        ('{"web": {"hosts": [1]}}', "'web.hosts' with an item that is no name"),
        (
            '{"web": {"hosts": ["w1"]}, "_meta": {"hostvars": {"w1": []}}}',
            "Invalid data from file, expected dictionary and got",
        ),
        (
            '{"web": {"hosts": ["w1"], "vars": {"a": {"__ansible_vault": 1}}}}',
            "Inventory script result could not be parsed as JSON",
        ),
    ],
)
def test_a_script_that_answers_nonsense_is_told_in_ansibles_words(tmp_path: Path, answer: str, said: str) -> None:
    with pytest.raises(OpsError) as caught:
        load_inventory([script(tmp_path, answer)])
    assert said in caught.value.message


def test_a_script_that_fails_tells_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="Inventory script returned non-zero exit code 3: a word"):
        load_inventory([script(tmp_path, "{}", code=3)])
    path = write(tmp_path / "none", "#!/no/such/program\n", executable=True)
    with pytest.raises(OpsError, match="Failed to execute inventory script command"):
        load_inventory([path])


def test_what_a_script_says_is_passed_on_unless_told_not_to(tmp_path: Path) -> None:
    path = script(tmp_path, '{"_meta": {}}')
    assert "a word" in load_inventory([path]).notices[0]
    assert load_inventory([path], InventorySettings(script_stderr=False, none_parsed="ignore")).notices == []


def test_a_bad_answer_for_one_host_names_it(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="result for host 'w1' could not be parsed as JSON"):
        load_inventory([script(tmp_path, '{"web": ["w1"]}', "no JSON")])
    assert load_inventory([script(tmp_path, '{"web": ["w1"]}', "")]).select("web") == ["w1"]


def test_values_of_scripts_are_templates_unless_marked(tmp_path: Path) -> None:
    vars_ = '{"a": "{{ b }}", "c": {"__ansible_unsafe": "{{ d }}"}, "e": [{"__ansible_vault": "$ANSIBLE_VAULT;..."}]}'
    loaded = load_inventory([script(tmp_path, '{"web": {"hosts": ["w1"]}, "_meta": {"hostvars": {"w1": ' + vars_ + '}}}')])
    found = values(loaded, "w1")
    assert found["a"] == Template("{{ b }}")
    assert found["c"] == "{{ d }}" and isinstance(found["c"], str)
    assert isinstance(found["e"][0], Vaulted)  # type: ignore[index]


def test_a_malformed_group_is_its_own_host_and_its_variables_are_data(tmp_path: Path) -> None:
    loaded = load_inventory([script(tmp_path, '{"w1": {"a": "{{ b }}"}}')])
    assert values(loaded, "w1")["a"] == "{{ b }}"
    assert any("Treating malformed group 'w1'" in text for text in loaded.notices)


def test_an_empty_item_of_a_keyed_list_takes_the_default(tmp_path: Path) -> None:
    hosts = write(tmp_path / "hosts.yml", "all: {hosts: {w1: {roles: [db, '', null]}}}\n")
    for default, groups in (("default_value: none", {"r_db", "r_none"}), ("strict: true", {"r_db"})):
        option = f", {default}" if default.startswith("default") else ""
        keyed = write(tmp_path / "x.yml", f"plugin: constructed\nkeyed_groups: [{{key: roles, prefix: r{option}}}]\n")
        assert load_inventory([hosts, keyed]).groups.keys() - {"all", "ungrouped"} == groups


SOURCES = {
    "hosts": ("w1\n", "ini"), "hosts.yml": ("all: {hosts: {w1: }}\n", "yaml"), "hosts.toml": ("[web.hosts]\nw1 = {}\n", "toml"),
    "dyn": ("#!/bin/sh\necho '{\"web\": [\"w1\"], \"_meta\": {}}'\n", "script"),
    "gen.yml": ("plugin: generator\nhosts: {name: w1, parents: []}\nlayers: {a: [b]}\n", "auto"), "empty.yml": ("", "ini"),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_enable_plugins_says_which_kinds_are_read(tmp_path: Path, name: str) -> None:
    text, kind = SOURCES[name]
    path = write(tmp_path / name, text, executable=name == "dyn")
    load_inventory([path], InventorySettings(enabled=("host_list", kind)))
    with pytest.raises(OpsError) as caught:
        load_inventory([path], InventorySettings(enabled=("host_list", "constructed")))
    assert caught.value.code == "inventory-not-enabled" and kind in caught.value.message


def test_a_plugin_may_be_enabled_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "gen.yml", "plugin: ansible.builtin.generator\nhosts: {name: w1, parents: []}\nlayers: {a: [b]}\n")
    assert load_inventory([path], InventorySettings(enabled=("generator",))).select("all") == ["w1"]
    with pytest.raises(OpsError):
        load_inventory(["w1,"], InventorySettings(enabled=("generator",)))


PRINTS = """#!/bin/sh
[ "$1 $3 $4" = "-i --list --export" ] || exit 9
grep -q 'plugin: acme.cloud.hosts' "$2" || { echo "no such plugin" >&2; exit 1; }
echo '{"web": {"hosts": ["w1"], "vars": {"a": "{{ b }}"}}, "_meta": {"hostvars": {"w1": {"b": 1}}, "profile": "inventory_legacy"}}'
"""


def test_plugins_of_others_are_run_by_ansibles_own_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "ours/ansible-inventory", "#!/bin/sh\nexec python3 -m opsplay.cli.entry ansible-inventory\n", executable=True)
    write(tmp_path / "bin/ansible-inventory", PRINTS, executable=True)
    monkeypatch.setenv("PATH", f"{tmp_path}/ours:{tmp_path}/bin:/usr/bin:/bin")
    loaded = load_inventory([write(tmp_path / "cloud.yml", "plugin: acme.cloud.hosts\n")])
    assert loaded.select("web") == ["w1"]
    assert values(loaded, "w1")["b"] == 1
    with pytest.raises(OpsError, match="no such plugin"):
        load_inventory([write(tmp_path / "other.yml", "plugin: acme.cloud.other\n")])


def test_without_it_an_unknown_plugin_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(OpsError, match="there is no inventory plugin") as caught:
        load_inventory([write(tmp_path / "cloud.yml", "plugin: acme.cloud.hosts\n")])
    assert "ansible-core" in caught.value.remedy
