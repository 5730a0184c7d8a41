"""Shell completion: click's own protocol as bash speaks it, and the scripts that the shells load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OPSPLAY = str(Path(sys.executable).parent / "opsplay")
INVENTORY = "[web]\nweb1\nweb2\n[db]\ndb1\n"


def complete(folder: Path, *words: str, **more: str) -> list[str]:
    """What bash is offered for the last word."""
    environment = {
        "_OPSPLAY_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["opsplay", *words]), "COMP_CWORD": str(len(words)),
        "PATH": "/usr/bin:/bin", "HOME": str(folder), **more,
    }  # fmt: skip
    done = subprocess.run(
        [OPSPLAY], env=environment, cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("in",), ["plain,inventory"]),
        (("run", "--forc"), ["plain,--force-handlers"]),
        (("history", "co"), ["plain,compare"]),
        (("run", "si"), ["file,si"]),
        (("run", "-i", "ho"), ["file,ho"]),
        (("run", "site.yml", "-o", "x"), ["file,x"]),
        (("vault", "view", "se"), ["file,se"]),
        (("doc", "linein"), ["plain,lineinfile"]),
        (("doc", "ansible.builtin.linein"), ["plain,ansible.builtin.lineinfile"]),
        (("doc", "-t", "filter", "ipad"), ["plain,ipaddr"]),
        (("exec", "-m", "systemd_s"), ["plain,systemd_service"]),
        (("exec", "-i", "hosts", "we"), ["plain,web", "plain,web1", "plain,web2"]),
        (("run", "-i", "hosts", "-l", "web:!w"), ["plain,web:!web", "plain,web:!web1", "plain,web:!web2"]),
        (("explain", "-i", "hosts", "d"), ["plain,db", "plain,db1"]),
        (("exec", "-i", "nowhere", "we"), []),
    ],
    ids=" ".join,
)
def test_what_tab_offers(tmp_path: Path, words: tuple[str, ...], offered: list[str]) -> None:
    (tmp_path / "hosts").write_text(INVENTORY)
    assert complete(tmp_path, *words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(shell: str) -> None:
    """What the documented line loads; the shell itself reads it where it is installed."""
    done = subprocess.run([OPSPLAY], env={"_OPSPLAY_COMPLETE": f"{shell}_source", "PATH": os.environ["PATH"]}, capture_output=True,
                          text=True, timeout=30, check=True)  # fmt: skip
    assert "_OPSPLAY_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, timeout=30, check=True)
