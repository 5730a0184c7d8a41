"""Python modules that import ansible.module_utils, with ansible-core installed beside opsplay."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.foreign.bundle import Shelf, make_bundle
from tests.foreign.conftest import Play

Write = Callable[..., Path]

MODULE = """
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule({"name": {"required": True}, "secret": {"no_log": True}}, supports_check_mode=%s)
    module.exit_json(changed=True, greeting="Hello " + module.params["name"], check=module.check_mode, said=module.params["secret"])

if __name__ == "__main__":
    main()
"""


def test_a_module_runs(write: Write, play: Play) -> None:
    write("library/greet.py", MODULE % True)
    result = play([{"name": "t", "greet": {"name": "World", "secret": "hunter2"}}])["t"]
    assert result["status"] == "changed" and result["greeting"] == "Hello World" and result["check"] is False
    assert "hunter2" not in str(result) and "invocation" not in result


def test_its_own_checks_of_arguments(write: Write, play: Play) -> None:
    write("library/greet.py", MODULE % True)
    result = play([{"name": "t", "greet": {"name": 1, "nam": 1}, "ignore_errors": True}])["t"]
    assert result["status"] == "failed" and "Unsupported parameters" in result["msg"]


def test_check_mode_is_the_modules_own(write: Write, play: Play) -> None:
    write("library/yes.py", MODULE % True)
    write("library/no.py", MODULE % False)
    results = play([{"name": "yes", "yes": {"name": "a"}}, {"name": "no", "no": {"name": "a"}}], check=True)
    assert results["yes"]["check"] is True and results["no"]["status"] == "unknown"


def test_module_utils_of_the_playbook_and_the_role(write: Write, play: Play) -> None:
    module = "from ansible.module_utils.mine import word\nfrom ansible.module_utils.basic import AnsibleModule\nAnsibleModule({}).exit_json(word=word)\n"
    write("library/top.py", module)
    write("module_utils/mine.py", "word = 'playbook'\n")
    write("roles/r/library/inner.py", module)
    write("roles/r/module_utils/mine.py", "word = 'role'\n")
    write("roles/r/tasks/main.yml", "- name: inner\n  inner:\n")
    assert play([{"name": "t", "top": {}}])["t"]["word"] == "playbook"
    assert play([], roles=["r"])["inner"]["word"] == "role"


def test_a_collections_relative_imports(write: Write, play: Play) -> None:
    base = "collections/ansible_collections/a/b/plugins"
    write(f"{base}/modules/m.py", "from ..module_utils.deep.x import say\nsay()\n")
    write(f"{base}/module_utils/deep/x.py", "from ansible.module_utils.basic import AnsibleModule\nfrom .y import N\ndef say():\n    AnsibleModule({}).exit_json(n=N)\n")
    write(f"{base}/module_utils/deep/y.py", "N = 7\n")
    write("collections/ansible_collections/a/b/meta/runtime.yml", "plugin_routing:\n  modules:\n    old: {redirect: a.b.m}\n    gone: {tombstone: {warning_text: Use m.}}\n"
          "action_groups:\n  all_of_it: [m]\n")  # fmt: skip
    assert play([{"name": "t", "a.b.m": {}}])["t"]["n"] == 7
    assert play([{"name": "t", "a.b.old": {}}])["t"]["n"] == 7
    with pytest.raises(OpsError, match=r"a.b.gone has been removed. Use m."):
        play([{"name": "t", "a.b.gone": {}}])


def test_action_groups_of_a_collection(write: Write, play: Play) -> None:
    base = "collections/ansible_collections/a/b"
    write(f"{base}/plugins/modules/m.py", "# WANT_JSON\nimport json, sys\nprint(json.dumps({'x': json.load(open(sys.argv[1])).get('x')}))\n")
    write(f"{base}/plugins/modules/n.py", "# WANT_JSON\nimport json, sys\nprint(json.dumps({'x': json.load(open(sys.argv[1])).get('x')}))\n")
    write(f"{base}/meta/runtime.yml", "action_groups:\n  g:\n  - m\n  - metadata: {extend_group: h}\n  h: [a.b.other, metadata]\n")
    results = play([{"name": "in", "a.b.m": {}}, {"name": "out", "a.b.n": {}}], module_defaults={"group/a.b.g": {"x": 5}})
    assert results["in"]["x"] == 5 and results["out"]["x"] is None


def test_a_missing_import_is_named(write: Write, play: Play) -> None:
    write("library/m.py", "from ansible.module_utils.nowhere.at_all import x\n")
    result = play([{"name": "t", "m": {}, "ignore_errors": True}])["t"]
    assert "Could not find imported module support code for ansible.module_utils.nowhere.at_all" in result["msg"]


def test_optional_imports_may_be_missing(tmp_path: Path) -> None:
    code = b"try:\n    from ansible.module_utils.nowhere import x\nexcept ImportError:\n    x = None\n"
    bundle = make_bundle(str(tmp_path / "m.py"), code, "m", Shelf())
    names = zipfile.ZipFile(io.BytesIO(bundle.data)).namelist()
    assert bundle.name == "ansible.modules.m" and "ansible/module_utils/basic.py" in names and not any("nowhere" in name for name in names)
    assert make_bundle(str(tmp_path / "m.py"), code, "m", Shelf()).data == bundle.data, "the same content is the same zip"


def test_without_ansible_core_the_message_says_what_to_install(write: Write, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from opsplay.engine import foreign

    foreign.made.cache_clear()
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "ansible" else find(name, *rest))
    write("library/greet.py", MODULE % True)
    result = play([{"name": "t", "greet": {"name": "x"}, "ignore_errors": True}])["t"]
    assert result["status"] == "failed" and "ansible-core is not installed" in result["msg"] and 'pip install "opsplay[ansible]"' in result["remedy"]


TALKING = """
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"fails": {"type": "bool", "default": False}})
if module.params["fails"]:
    raise RuntimeError("no way")
module.warn("mind the gap")
module.deprecate("it is old", version="9.9", collection_name="some.where")
module.exit_json(changed=False)
"""


def test_warnings_are_plain_text(write: Write, play: Play) -> None:
    write("library/talk.py", TALKING)
    result = play([{"name": "t", "talk": {}}])["t"]
    assert result["warnings"] == ["mind the gap"]
    assert [(item["msg"].rstrip("."), item["version"]) for item in result["deprecations"]] == [("it is old", "9.9")]


def test_what_it_raised_is_its_message(write: Write, play: Play) -> None:
    write("library/talk.py", TALKING)
    result = play([{"name": "t", "talk": {"fails": True}, "ignore_errors": True}])["t"]
    assert result["msg"] == "Task failed: Module failed: no way" and "RuntimeError" in result["module_stderr"]


def test_an_exception_alone_is_the_message(write: Write, play: Play) -> None:
    write("library/shout.sh", """#!/bin/sh
# WANT_JSON
printf '%s' '{"failed": true, "exception": "Traceback of it\\nboom"}'
""")
    result = play([{"name": "t", "shout": {}, "ignore_errors": True}])["t"]
    assert result["msg"] == "Task failed: Module failed: boom"
