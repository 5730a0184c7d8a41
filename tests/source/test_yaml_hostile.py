"""Fault row 13: hostile and broken files are refused in 0.2 s and 100 MB, with file:line:column; none crashes us."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 0.2
SECONDS_TO_THE_NODE_LIMIT = 1.0  # these do nothing but hold as many values as an honest file may
MEGABYTES = 100


def laughs() -> str:
    lines = ['a0: &a0 ["lol"]']
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def merge_bomb() -> str:
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: 1" for n in range(100)) + "}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 100)}]}}" for n in range(1, 40)]
    return "\n".join(lines)


FILES: dict[str, Callable[[], bytes]] = {
    "billion laughs": lambda: laughs().encode(),
    "merge bomb": lambda: merge_bomb().encode(),
    "deep brackets": lambda: b"[" * 100_000,
    "deep braces": lambda: b"{a: " * 100_000,
    "deep dashes": lambda: b"- " * 100_000,
    "sexagesimal": lambda: b"a: 1" + b":59" * 60_000,
    "sexagesimal by tag": lambda: b"a: !!int 1" + b":59" * 60_000,
    "long int": lambda: b"a: 1" + b"0" * 1_000_000,
    "python tag": lambda: b"a: !!python/object/apply:os.system ['touch /tmp/pwned']",
    "local tag": lambda: b"a: !include /etc/passwd",
    "duplicate": lambda: b"a: 1\nb: 2\na: 3\n",
    "mark inside": lambda: "a: 1\nb: x\ufeffy\n".encode(),
    "nul": lambda: b"a: 1\nb: \0\n",
    "bidi": lambda: "a: 1\nb: admin\u202e nimda\n".encode(),
    "escape": lambda: b"a: \x1b[2J\n",
    "ten megabyte scalar": lambda: b"a: " + b"x" * 10_000_000,
    "tab": lambda: b"a:\n\tb: 1\n",
    "unclosed quote": lambda: b"a: 'x\n" + b"b: c\n" * 10_000,
    "not utf-8": lambda: b"a: 1\nb: \xff\xfe\n",
    "utf-16": lambda: "a: 1\n".encode("utf-16"),
    "self alias": lambda: b"a: &a [*a]",
    "many nodes": lambda: b"[" + b"1," * 400_000 + b"]",
    "many anchors": lambda: b"\n".join(b"- &a%d 1" % n for n in range(20_000)) + b"\n- @",
    "many open keys": lambda: b"? " * 100_000,
}

CHILD = """
import json, sys, time
from opsplay.errors import OpsError
from opsplay.source.yaml_reader import read_yaml
read_yaml(sys.argv[1])
started = time.process_time()
try:
    read_yaml(sys.argv[2])
    answer = {"code": None}
except OpsError as error:
    answer = {"code": error.code, "where": str(error.where), "remedy": error.remedy}
answer["seconds"] = time.process_time() - started
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
answer["megabytes"] = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps(answer))
"""


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_quickly(name: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("a: 1\n")
    bad.write_bytes(FILES[name]())
    run = subprocess.run([sys.executable, "-c", CHILD, str(good), str(bad)], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["code"], "it was accepted"
    path, line, column = answer["where"].rsplit(":", 2)
    assert path == str(bad) and int(line) > 0 and int(column) > 0
    assert answer["remedy"]
    assert answer["seconds"] <= (SECONDS_TO_THE_NODE_LIMIT if name.startswith("many nodes") else SECONDS)
    assert answer["megabytes"] <= MEGABYTES


def test_the_python_tag_ran_nothing() -> None:
    assert not Path("/tmp/pwned").exists()
