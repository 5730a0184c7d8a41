"""Every Python promised for hosts, as far as it is on this machine, parses all that travels and runs the interpreter."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from pathlib import Path

import pytest

import opsplay.remote
from opsplay.transport.direct import run_module, run_steps, typed
from opsplay.transport.protocol import Step

REMOTE = Path(opsplay.remote.__file__).parent
OLDEST, NEWEST = (3, 6), (3, 13)
PARSE = """
import ast, sys
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as handle:
        ast.parse(handle.read(), path)
print(len(sys.argv) - 1)
"""


def pythons() -> dict[str, str]:
    """Version -> path of each Python that can be found, this one included."""
    found = {".".join(map(str, sys.version_info[:2])): sys.executable}
    patterns = (os.path.expanduser("~/.pyenv/versions/*/bin/python"), "/usr/bin/python3.*", "/usr/local/bin/python3.*")
    for path in sorted(path for pattern in patterns for path in glob.glob(pattern)):
        done = subprocess.run(
            [path, "-c", "import sys;print('%d.%d'%sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
        version = done.stdout.strip()
        if done.returncode == 0 and OLDEST <= tuple(map(int, version.split("."))) <= NEWEST:
            found.setdefault(version, path)
    return found


PYTHONS = pythons()


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_all_that_travels_can_be_parsed(version: str) -> None:
    paths = sorted(str(path) for path in REMOTE.rglob("*.py"))
    done = subprocess.run(
        [PYTHONS[version], "-I", "-S", "-c", PARSE, *paths], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(paths) > 10


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_the_interpreter_runs(version: str, tmp_path: Path) -> None:
    python = PYTHONS[version]
    replies = run_steps(
        [
            Step("ping", {"data": version}),
            Step("command", typed("command", {"_raw_params": "echo grüße"}), environment={"A": "b"}),
            Step("stat", typed("stat", {"path": str(tmp_path)})),
        ],
        python,
    )
    assert replies[0].result["ping"] == version
    assert replies[1].result["stdout"] == "grüße"
    assert replies[2].result["stat"]["isdir"] is True


@pytest.mark.parametrize("version", sorted(PYTHONS))
def test_every_module_can_be_imported(version: str) -> None:
    """Run as a module is on a host: sent with what it imports, without site-packages."""
    names = sorted(path.stem for path in (REMOTE / "modules").glob("*.py") if path.stem != "__init__")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfor n in sys.argv[2:]: __import__('opsplay.remote.modules.' + n)"
    )
    done = subprocess.run(
        [PYTHONS[version], "-I", "-S", "-c", script, str(REMOTE.parent.parent), *names],
        capture_output=True, text=True, check=False, timeout=60, env={"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(names) > 2


def test_a_file_name_in_the_c_locale(tmp_path: Path) -> None:
    """Python 3.6 takes file names as ASCII in the C locale, unless the start sees to it."""
    path = tmp_path / "grüße"
    path.write_text("x")
    oldest = PYTHONS[min(PYTHONS, key=lambda version: tuple(map(int, version.split("."))))]
    saved = {name: os.environ.pop(name, None) for name in ("LC_ALL", "LC_CTYPE", "LANG")}
    try:
        assert run_module("stat", {"path": str(path)}, python=oldest)["stat"]["exists"] is True
    finally:
        os.environ.update({name: value for name, value in saved.items() if value is not None})
