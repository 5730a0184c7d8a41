"""Modules of others by Ansible's documented protocols, run for real on this machine."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.foreign.style import Style, shebang, style_of
from tests.foreign.conftest import Play

Write = Callable[..., Path]

SHELL = """#!/bin/sh
. "$1"
printf '{"changed": true, "msg": "%s|%s", "mode": "%s", "file": "%s"}' "$name" "$text" "$(stat -c %a "$1")" "$1"
"""
JSON = """#!/usr/bin/python
# WANT_JSON
import json, sys
data = json.load(open(sys.argv[1]))
print("login banner {not json}")
print(json.dumps({"got": data["list"], "executable": sys.executable, "check": data["_ansible_check_mode"]}))
print("trailing")
"""
EMBEDDED = """#!/usr/bin/python
import json
arguments = json.loads('''<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>''')
print(json.dumps({"echo": arguments["word"]}))
"""


def test_key_value_words_in_a_private_file(write: Write, play: Play) -> None:
    write("library/words.sh", SHELL)
    result = play([{"name": "t", "words": {"name": "O'Brien; id", "text": "two  words $HOME"}}])["t"]
    assert result["status"] == "changed" and result["msg"] == "O'Brien; id|two  words $HOME" and result["mode"] == "600"
    assert not os.path.exists(result["file"])


def test_want_json_with_noise_around(write: Write, play: Play) -> None:
    write("library/wanting.py", JSON)
    result = play([{"name": "t", "wanting": {"list": [1, {"a": None}]}}])["t"]
    assert result["status"] == "ok" and result["got"] == [1, {"a": None}] and result["executable"]
    assert "junk after the JSON" in result["warnings"][0]


def test_json_in_the_file_itself(write: Write, play: Play) -> None:
    write("library/embedded.py", EMBEDDED)
    assert play([{"name": "t", "embedded": {"word": "hi"}}])["t"]["echo"] == "hi"


def test_a_binary(write: Write, play: Play, tmp_path: Path) -> None:
    source = tmp_path / "module.c"
    source.write_text('#include <stdio.h>\nint main(int c, char **v) { FILE *f = fopen(v[1], "r"); char b[2] = {0};\n'
                      'if (!f || fread(b, 1, 1, f) != 1) return 1; printf("{\\"first\\": \\"%s\\"}", b); return 0; }\n')  # fmt: skip
    (tmp_path / "library").mkdir()
    subprocess.run(["cc", "-o", str(tmp_path / "library/native"), str(source)], check=True, timeout=60)
    assert play([{"name": "t", "native": {"a": 1}}])["t"]["first"] == "{"


def test_check_mode_runs_only_what_knows_of_it(write: Write, play: Play) -> None:
    write("library/words.sh", SHELL)
    write("library/wanting.py", JSON)
    results = play([{"name": "no", "words": {"name": "x"}}, {"name": "yes", "wanting": {"list": []}}], check=True)
    assert results["no"]["status"] == "unknown" and "does not support check mode" in results["no"]["msg"]
    assert results["yes"]["status"] == "ok" and results["yes"]["check"] is True


def test_what_is_no_json_is_a_failure_with_its_output(write: Write, play: Play) -> None:
    write("library/broken.sh", "#!/bin/sh\necho oops; echo why >&2; exit 3\n")
    result = play([{"name": "t", "broken": {}, "ignore_errors": True}])["t"]
    assert result["status"] == "failed" and (result["rc"], result["module_stdout"], result["module_stderr"]) == (3, "oops\n", "why\n")


def test_facts_of_a_module_are_variables(write: Write, play: Play) -> None:
    write("library/teller.sh", '#!/bin/sh\necho \'{"ansible_facts": {"colour": "{{ 1 + 1 }}"}}\'\n')
    results = play([{"name": "t", "teller": {}}, {"name": "seen", "debug": {"msg": "{{ colour }}"}}])
    assert results["seen"]["msg"] == "{{ 1 + 1 }}", "what a host says is data, never a template"


def test_another_interpreter(write: Write, play: Play, tmp_path: Path) -> None:
    odd = write("odd", '#!/bin/sh\necho "{\\"ran\\": \\"$0\\"}"\n', 0o755)
    write("library/strange", "#!/usr/bin/oddlang\nanything\n")
    task = {"name": "t", "strange": {}, "vars": {"ansible_oddlang_interpreter": str(odd)}}
    assert play([task])["t"]["ran"] == str(odd)


def test_in_the_background(write: Write, play: Play) -> None:
    write("library/words.sh", SHELL)
    result = play([{"name": "t", "words": {"name": "x", "text": "y"}, "async": 30, "poll": 1}])["t"]
    assert result["msg"] == "x|y" and result["ansible_job_id"]


def test_the_first_role_brings_its_module(write: Write, play: Play) -> None:
    for role in ("one", "two"):
        write(f"roles/{role}/library/mine.sh", f'#!/bin/sh\necho \'{{"from": "{role}"}}\'\n')
        write(f"roles/{role}/tasks/main.yml", f"- name: in {role}\n  mine:\n")
    results = play([{"name": "after", "mine": {}}], roles=["two", "one"])
    assert [results[name]["from"] for name in ("in two", "in one", "after")] == ["two", "two", "two"]


def test_windows_modules_are_refused(write: Write, play: Play) -> None:
    write("library/win.ps1", "#!powershell\n")
    result = play([{"name": "t", "win": {}, "ignore_errors": True}])["t"]
    assert result["status"] == "failed" and "hosts are Unix hosts" in result["msg"]


@pytest.mark.parametrize("place", ["action_plugins/mine.py", "collections/ansible_collections/a/b/plugins/action/mine.py"])
def test_action_plugins_are_refused_before_anything_runs(write: Write, play: Play, place: str) -> None:
    write(place, "class ActionModule: pass\n")
    name = "a.b.mine" if "collections" in place else "mine"
    with pytest.raises(OpsError) as caught:
        play([{"name": "first", "command": "touch ran"}, {"name": "t", name: {}}])
    assert caught.value.code == "foreign-action-plugin" and place in caught.value.message and not Path("ran").exists()


@pytest.mark.parametrize(
    ("code", "style"),
    [
        (b"#!/bin/sh\n", Style.WORDS), (b"# WANT_JSON\n", Style.JSON), (b"\x7fELF\x00", Style.JSON),
        (b"from ansible.module_utils.basic import AnsibleModule\n", Style.PYTHON), (b"import ansible.module_utils.basic\n", Style.PYTHON),
        (b"from ..module_utils.x import y\n", Style.PYTHON), (b"from ansible_collections.a.b.plugins.module_utils import x\n", Style.PYTHON),
        (b"x = '<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>'\n", Style.EMBEDDED), (b"#!powershell\n", Style.POWERSHELL),
        (b"# speaks of from ansible.module_utils only\n", Style.WORDS),
    ],
)  # fmt: skip
def test_styles(code: bytes, style: Style) -> None:
    assert style_of("module", code) is style


def test_first_lines() -> None:
    assert shebang(b"#!/usr/bin/env ruby -w\n") == ("ruby", "-w") and shebang(b"#!/bin/sh\n") == ("/bin/sh", "") and shebang(b"x") == ("", "")


def test_nothing_is_left_behind(write: Write, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    monkeypatch.setenv("TMPDIR", str(scratch))
    write("library/words.sh", SHELL)
    result = play([{"name": "t", "words": {"name": "x"}, "environment": {"TMPDIR": str(scratch)}}])["t"]
    assert result["status"] == "changed" and list(scratch.iterdir()) == [] and stat.S_IMODE(scratch.stat().st_mode) == 0o700
