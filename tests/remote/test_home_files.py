"""Root's writes into a home whose owner swaps its folders at every moment: done or refused, never elsewhere, never by accident."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsplay.remote import home_files
from opsplay.remote.spec import ModuleFailure

ROUNDS = 3000
SWAPPER = """
import os, random, sys, time
os.chdir(sys.argv[1])
def quietly(act, *names):
    try:
        act(*names)
    except OSError:
        pass
print("at work", flush=True)
while True:
    quietly(os.rename, ".ssh", ".real")
    quietly(os.symlink, "../prize", ".ssh")
    quietly(os.unlink, ".ssh")
    quietly(os.rename, ".real", ".ssh")
    time.sleep(random.random() * 0.001)
    for name in os.listdir("."):
        if os.path.isdir(name) and not os.path.islink(name):
            for inner in os.listdir(name):
                quietly(os.unlink, name + "/" + inner)
            quietly(os.rmdir, name)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "prize").mkdir()
    (tmp_path / "prize" / "authorized_keys").write_text("secret")
    process = subprocess.Popen([sys.executable, "-c", SWAPPER, str(home)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    yield home
    process.kill()
    process.communicate()


def write_once(home: Path) -> str:
    try:
        folder = home_files.walk(str(home), [".ssh"], owner=(os.getuid(), os.getgid()))
        with folder:
            folder.own(".", 0o700, os.getuid(), os.getgid())
            folder.status("authorized_keys")
            folder.write("authorized_keys", b"key\n", 0o600, os.getuid(), os.getgid())
    except ModuleFailure:
        return "refused"
    return "done"


def test_done_or_refused(home: Path) -> None:
    outcomes = Counter(write_once(home) for _ in range(ROUNDS))
    assert outcomes["done"] and outcomes["refused"]
    assert [path.name for path in (home.parent / "prize").iterdir()] == ["authorized_keys"]
    assert (home.parent / "prize" / "authorized_keys").read_text() == "secret"
