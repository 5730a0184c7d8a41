"""`opsplay run` as a user starts it: a process of its own, with a home and a state folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

OPSPLAY = str(Path(sys.executable).with_name("opsplay"))
SECONDS = 60


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Nothing of the developer's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "OPSPLAY_", "LC_"))}
    kept.pop("COLUMNS", None)
    return {**kept, "HOME": str(folder), "OPSPLAY_STATE": str(folder / "state"), "LANG": "C.UTF-8", "TERM": "dumb", **more}


def opsplay(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([OPSPLAY, *arguments], capture_output=True, text=True, cwd=folder, env=environment(folder, **more),
                          stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)  # fmt: skip


def history(folder: Path) -> list[dict[str, Any]]:
    done = opsplay(folder, "history", "list", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return list(found if isinstance(found, list) else found["runs"])


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_yml", ".yml")).write_text(text)
    return folder


LOCAL = "h1 ansible_connection=local\nh2 ansible_connection=local\n"
