"""Fault row 42: root works in a folder of a user who swaps files and folders for links all the time."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import world
from workbench import is_root

from opsplay.remote import trusted_path
from opsplay.remote.modules import (
    _assemble,
    _copy,
    _copy_tree,
    _unarchive,
    archive,
    blockinfile,
    file,
    ini_file,
    lineinfile,
    replace,
)
from opsplay.remote.perform import perform
from opsplay.remote.spec import Args, ModuleFailure
from opsplay.remote.system import System

pytestmark = pytest.mark.skipif(not is_root(), reason="only root can be led astray")
ATTACKER = 65534
SECONDS = 0.4  # for each way of writing


@pytest.fixture
def place() -> Iterator[Path]:
    """place/home belongs to the attacker; place/outside to root."""
    top = Path(tempfile.mkdtemp(prefix="row42-"))
    top.chmod(0o755)
    (top / "outside").mkdir()
    for name in ("f", "g", "secret"):
        (top / "outside" / name).write_text("precious line\n[s]\no = 1\n")
    (top / "home").mkdir()
    os.chown(top / "home", ATTACKER, ATTACKER)
    subprocess.run(["tar", "cf", top / "a.tar", "-C", top / "outside", "f"], check=True)
    try:
        yield top
    finally:
        shutil.rmtree(top)


def attack(top: Path) -> int:
    """A child that swaps home/d and home/d/f for links to the outside and back, as fast as it can."""
    child = os.fork()
    if child:
        return child
    os.setgid(ATTACKER)
    os.setuid(ATTACKER)
    os.chdir(top / "home")
    while True:
        for target in (None, str(top / "outside")):
            with contextlib.suppress(OSError):
                swap(target, str(top / "outside" / "secret"))


def swap(folder_link: str | None, file_link: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink("d") if os.path.islink("d") else shutil.rmtree("d")
    if folder_link:
        os.symlink(folder_link, "d")
        return
    os.mkdir("d")
    with open("d/f", "w") as handle:
        handle.write("mine\n")
    os.unlink("d/f")
    os.symlink(file_link, "d/f")


def call(module: Any, body: bytes | None = None, **given: Any) -> dict[str, Any]:
    defaults = {name: argument.default for name, argument in module.SPEC.args.items()}
    try:
        return perform(module, System(body=body, diff=True), Args(defaults, **given))
    except OSError as error:  # the attacker was in the way
        return {"failed": True, "msg": str(error)}


EVIL = b"evil\n"
SHA1 = hashlib.sha1(EVIL).hexdigest()


def ways(top: Path) -> dict[str, Any]:
    target, folder = str(top / "home/d/f"), str(top / "home/d")
    return {
        "lineinfile": lambda: call(lineinfile, path=target, line="evil", create=True),
        "lineinfile in place": lambda: call(lineinfile, path=target, line="evil", create=True, unsafe_writes=True),
        "blockinfile": lambda: call(blockinfile, path=target, block="evil", create=True),
        "replace": lambda: call(replace, path=target, regexp="precious", replace="evil", backup=True),
        "ini_file": lambda: call(ini_file, path=target, section="s", option="o", value="evil"),
        "copy": lambda: call(_copy, EVIL, dest=target, owner="nobody", mode="0666"),
        "copy, followed": lambda: call(_copy, EVIL, dest=target, owner="nobody", mode="0666", follow=True),
        "copy of a folder": lambda: call(_copy_tree, EVIL, dest=folder, owner="nobody", mode="0666",
                                         files=[{"path": "f", "sha1": SHA1, "mode": None, "size": len(EVIL)}]),
        "mode and owner": lambda: call(file, path=target, mode="0666", owner="nobody"),
        "mode and owner of a link": lambda: call(file, path=target, mode="0666", owner="nobody", follow=False),
        "mode and owner, all below": lambda: call(file, path=folder, state="directory", recurse=True, mode="0777", owner="nobody"),
        "touch": lambda: call(file, path=target, state="touch"),
        "folder": lambda: call(file, path=folder + "/new", state="directory", owner="nobody"),
        "link": lambda: call(file, path=target, state="link", src="/etc/passwd", force=True),
        "absent": lambda: call(file, path=target, state="absent"),
        "absent, a folder": lambda: call(file, path=folder, state="absent"),
        "unarchive": lambda: call(_unarchive, dest=folder, src=str(top / "a.tar"), source="host", owner="nobody", mode="0666"),
        "archive": lambda: call(archive, path=[str(top / "a.tar")], dest=target, format="tar", mode="0666"),
        "assemble": lambda: call(_assemble, src=str(top / "outside"), dest=target, owner="nobody"),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(ways(Path("/"))))
def test_nothing_outside_is_written_or_given_away(name: str, place: Path) -> None:
    before = world.fingerprint(str(place / "outside"))
    way, calls = ways(place)[name], 0
    child = attack(place)
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            way()
            calls += 1
            assert world.fingerprint(str(place / "outside")) == before, f"after {calls} calls"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert calls > 10


def test_a_link_of_somebody_else_is_not_followed_and_that_is_said(place: Path) -> None:
    link = place / "home" / "l"
    link.symlink_to(place / "outside" / "f")
    os.chown(link, ATTACKER, ATTACKER, follow_symlinks=False)
    result = call(lineinfile, path=str(link), line="evil")
    assert result["failed"] and "leads through a link" in result["msg"], result


def test_links_that_can_be_trusted_are_followed(place: Path) -> None:
    own = place / "home" / "own"
    own.write_text("a\n")
    for owner in (0, ATTACKER):
        os.chown(own, owner, owner)
        link = place / "home" / f"l{owner}"
        link.symlink_to("own")
        os.chown(link, owner, owner, follow_symlinks=False)
        assert trusted_path.resolve(str(link)) == str(own)
        assert call(lineinfile, path=str(link), line=f"b{owner}")["changed"]
    stranger = place / "home" / "stranger"
    stranger.symlink_to("nowhere")
    os.chown(stranger, ATTACKER, ATTACKER, follow_symlinks=False)
    with pytest.raises(ModuleFailure):
        trusted_path.resolve(str(stranger))
