"""Fault row 22: the controller's disk fills up, on a real 2 MB tmpfs, at every stage of a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
set -e
mount -t tmpfs -o size=2m tmpfs "$1"
"$2" "$3" "$1" "$4"
cp "$1"/history.sqlite3* "$5"/
"""


def on_full_disk(tmp_path: Path, when: int) -> dict[str, object]:
    """Run fill_disk.py in a mount namespace of its own: the tmpfs goes when it ends, whatever happens."""
    state, kept = tmp_path / "state", tmp_path / "kept"
    state.mkdir(mode=0o700)
    kept.mkdir()
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    program = [sys.executable, str(Path(__file__).parent / "fill_disk.py"), str(when), str(kept)]
    done = subprocess.run([*unshare, "sh", "-c", SCRIPT, "sh", str(state), *program], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    check = subprocess.run(
        [sys.executable, "-c", CHECK, str(kept / "history.sqlite3")], capture_output=True, text=True, timeout=60
    )
    assert check.stdout == "ok 1\n", check.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


CHECK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("PRAGMA integrity_check").fetchone()[0], connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0])
"""


@pytest.mark.parametrize("when", [1, 2, 7, 25, 60, 80])
def test_a_disk_that_fills_during_the_run(tmp_path: Path, when: int) -> None:
    """The run hears of it, its end is still written, the earlier run in the database is untouched."""
    answer = on_full_disk(tmp_path, when)
    assert answer["failure"] is not None
    assert answer["exit"] == 3
    assert answer["accepted"] == 0, "no task began after the disk was full"
    assert answer["last"] == "RunFinished"
    assert int(str(answer["lines"])) >= when


def test_a_disk_that_fills_before_the_record(tmp_path: Path) -> None:
    answer = on_full_disk(tmp_path, 10_000)
    assert (answer["failure"], answer["exit"], answer["last"]) == ("history-failed", 3, "RunFinished")
