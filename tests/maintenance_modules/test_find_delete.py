"""find_delete: what goes, what stays, and an attacker who rewrites the tree meanwhile (fault rows 41, 42)."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

DAY = 86400.0
SWAPS = int(os.environ.get("OPSPLAY_TEST_SWAPS", "10000"))


def aged(path: Path, days: float, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def test_deletes_what_is_old_and_says_how_much(module: Any, tmp_path: Path) -> None:
    old, new = aged(tmp_path / "a/old.log", 3, b"z" * 1000), aged(tmp_path / "a/new.log", 0.1)
    seen = module("find_delete", check=True, paths=str(tmp_path), age="1d")
    done = module("find_delete", paths=str(tmp_path), age="1d")
    again = module("find_delete", paths=str(tmp_path), age="1d")
    assert seen["deleted"] == done["deleted"] == [str(old)]
    assert done["changed"] and done["bytes_freed"] == 1000 and done["count"] == 1
    assert new.exists() and not old.exists() and not again["changed"]


def test_patterns_sizes_excludes_and_depth(module: Any, tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz", "keep/c.gz", "sub/deep/d.gz", "e.txt", ".hidden.gz"):
        aged(tmp_path / name, 40, b"y" * 2048)
    aged(tmp_path / "small.gz", 40)
    done = module("find_delete", paths=str(tmp_path), patterns="*.gz", excludes="keep,.hidden*", age="30d", size="1k", depth=2)
    assert done["deleted"] == [str(tmp_path / "a.gz"), str(tmp_path / "b.gz")]
    assert (tmp_path / "keep/c.gz").exists() and (tmp_path / "sub/deep/d.gz").exists()


def test_keeps_the_newest_of_the_matches(module: Any, tmp_path: Path) -> None:
    dumps = [aged(tmp_path / f"d{number}.dump", number) for number in range(10)]
    done = module("find_delete", paths=str(tmp_path), patterns="*.dump", keep=7)
    assert done["count"] == 3 and [dump.exists() for dump in dumps] == [True] * 7 + [False] * 3
    assert not module("find_delete", paths=str(tmp_path), patterns="*.dump", keep=7)["changed"]


def test_open_files_sockets_and_pipes_stay(module: Any, tmp_path: Path) -> None:
    held, free = aged(tmp_path / "held", 5), aged(tmp_path / "free", 5)
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener, held.open():
        listener.bind(str(tmp_path / "socket"))
        for name in ("pipe", "socket", "held"):
            os.utime(tmp_path / name, (1, 1))
        done = module("find_delete", paths=str(tmp_path), age="1d")
    assert done["deleted"] == [str(free)]
    reasons = {Path(entry["path"]).name: entry["reason"] for entry in done["kept"]}
    assert reasons["pipe"] == reasons["socket"] == "a socket, pipe or device"
    assert f"(pid {os.getpid()})" in reasons["held"]


def test_links_are_not_followed(module: Any, tmp_path: Path) -> None:
    outside = aged(tmp_path / "outside/precious", 9)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "in/file").symlink_to(outside)
    assert not module("find_delete", paths=str(tmp_path / "in"), age="0s", file_type="any", excludes="f*")["changed"]
    done = module("find_delete", paths=str(tmp_path / "in"), file_type="link", patterns="f*")
    assert done["count"] == 2 and outside.exists()


def test_hard_links_free_nothing_and_names_are_any_bytes(module: Any, tmp_path: Path) -> None:
    precious = aged(tmp_path / "etc/shadow", 5, b"s" * 500)
    (tmp_path / "t").mkdir()
    os.link(precious, tmp_path / "t/link")
    odd = os.fsencode(str(tmp_path)) + b"/t/new\nline\xff"
    with open(odd, "wb"):
        os.utime(odd, (1, 1))
    done = module("find_delete", paths=str(tmp_path / "t"), age="1d")
    assert done["count"] == 2 and done["bytes_freed"] == 0 and precious.read_bytes() == b"s" * 500
    assert any(path.endswith("t/new\nline\\xff") for path in done["deleted"])


@pytest.mark.parametrize("path", ["/", "/home", "/etc", "/usr", "/var", "/home/somebody", "/etc/cron.d", "/usr/lib/python3",
                                  "/tmp/../etc", "/tmp/..", "//", "relative", ""])
def test_protected_and_senseless_roots_are_refused(module: Any, path: str) -> None:
    done = module("find_delete", check=True, paths=[path], age="1d")
    assert done["failed"] and not done["changed"], done


def test_a_choice_of_everything_is_refused(module: Any, tmp_path: Path) -> None:
    aged(tmp_path / "a", 1)
    assert "narrows" in module("find_delete", paths=str(tmp_path))["msg"]


def test_whole_directories_go_only_when_all_in_them_is_old(module: Any, tmp_path: Path) -> None:
    for name, days in (("playwright-1/x/y", 3), ("playwright-2/x/old", 3), ("playwright-2/x/new", 0), ("other/x", 3)):
        aged(tmp_path / name, days)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        os.utime(folder, (1, 1))
    wanted = {"paths": str(tmp_path), "patterns": "playwright*", "file_type": "directory", "depth": 1, "age": "1d"}
    seen = module("find_delete", check=True, **wanted)
    done = module("find_delete", **wanted)
    assert seen["deleted"] == done["deleted"] == [str(tmp_path / "playwright-1")]
    assert done["kept"] == [{"path": str(tmp_path / "playwright-2"), "reason": "holds something newer"}]
    assert (tmp_path / "other/x").exists() and not (tmp_path / "playwright-1").exists()


def test_empty_directories_go_when_asked(module: Any, tmp_path: Path) -> None:
    aged(tmp_path / "a/b/c/old", 5)
    (tmp_path / "fresh").mkdir()
    for folder in ("a", "a/b", "a/b/c"):
        os.utime(tmp_path / folder, (1, 1))
    wanted = {"paths": str(tmp_path), "age": "1d", "empty_directories": True}
    assert module("find_delete", check=True, **wanted)["count"] == 4
    assert module("find_delete", **wanted)["count"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["fresh"]


def test_a_forged_time_does_not_count_with_newest(module: Any, tmp_path: Path) -> None:
    aged(tmp_path / "forged", 100)
    assert not module("find_delete", paths=str(tmp_path), age="1d", age_stamp="newest")["changed"]


def in_mount_namespace(script: str) -> str:
    done = subprocess.run(["unshare", "-m", "sh", "-ec", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_other_file_systems_and_bind_mounts_are_not_entered(tmp_path: Path) -> None:
    aged(tmp_path / "outside/precious", 9)
    for name in ("t/bound", "t/memory"):
        (tmp_path / name).mkdir(parents=True)
    aged(tmp_path / "t/file", 9)
    aged(tmp_path / "t/old", 9)
    run = "import sys, json; sys.path.insert(0, '%s'); import module_call as c; print(json.dumps(c.run_module('find_delete', paths='%s', age='1d', file_type='%s')))"
    script = f"""
        mount --bind {tmp_path}/outside {tmp_path}/t/bound
        mount -t tmpfs none {tmp_path}/t/memory; touch -d '9 days ago' {tmp_path}/t/memory/kept {tmp_path}/t/bound
        mount --bind {tmp_path}/outside/precious {tmp_path}/t/file
        {sys.executable} -c "{run % (Path(__file__).parent, tmp_path / 't', 'directory')}" 2>&1
        {sys.executable} -c "{run % (Path(__file__).parent, tmp_path / 't', 'file')}"
        test -e {tmp_path}/t/memory/kept"""
    out = in_mount_namespace(script)
    assert (tmp_path / "outside/precious").exists() and (tmp_path / "t/file").exists(), out
    assert not (tmp_path / "t/old").exists()
    assert "another mount" in out and "another file system" in out and "a mount point" in out


def test_a_hundred_thousand_nested_directories_need_no_more_descriptors(module: Any, tmp_path: Path) -> None:
    levels = int(os.environ.get("OPSPLAY_TEST_NESTED", "5000"))
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    with open(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here), "wb"):
        os.utime("bottom", (1, 1), dir_fd=here)
    os.close(here)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (48, hard))
    try:
        done = module("find_delete", paths=str(tmp_path), patterns="bottom", age="1d")
        whole = module("find_delete", paths=str(tmp_path), patterns="d", file_type="directory", depth=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert done["count"] == 1 and whole["count"] == 1 and not list(tmp_path.iterdir())


RENAME_EXCHANGE = 2


libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: str, other: str) -> int:
    """1 when the two names swapped what they name."""
    return int(libc.renameat2(-100, one.encode(), -100, other.encode(), RENAME_EXCHANGE) == 0)


@pytest.mark.parametrize("file_type", ["file", "directory", "any"])
def test_an_attacker_swapping_directory_and_link_gains_nothing(module: Any, tmp_path: Path, file_type: str) -> None:
    victims = [aged(tmp_path / f"victim/{number}/precious", 99) for number in range(5)]
    root = tmp_path / "t"
    for number in range(5):
        aged(root / f"d{number}/sub/bait", 99)
        (root / f"link{number}").symlink_to(tmp_path / f"victim/{number}")
        (tmp_path / f"away{number}").mkdir()
    stop, swaps, turns = threading.Event(), [0], [0]

    def attack() -> None:
        while not stop.is_set():
            turns[0] += 1
            number = turns[0] % 5
            swaps[0] += exchange(f"{root}/d{number}", f"{root}/link{number}")
            swaps[0] += exchange(f"{root}/d{number}/sub", f"{tmp_path}/away{number}")
            if turns[0] % 20 == 0 and not stop.is_set():
                refill(root, number)

    attacker = threading.Thread(target=attack)
    attacker.start()
    runs = 0
    end = time.monotonic() + 60
    try:
        while (swaps[0] < SWAPS // 3 or runs < 20) and time.monotonic() < end:
            module("find_delete", paths=str(root), age="1d", file_type=file_type, patterns="*", empty_directories=True)
            runs += 1
    finally:
        stop.set()
        attacker.join()
    assert runs >= 3 and swaps[0] >= SWAPS // 3
    assert all(victim.exists() for victim in victims)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's directory needs root")
def test_a_path_below_a_swapped_directory_is_not_left(module: Any, tmp_path: Path) -> None:
    """/home/mallory/app/tmp is to be cleaned, and mallory swaps app for a link to a place that has a tmp, too."""
    victim = aged(tmp_path / "elsewhere/tmp/precious", 99)
    home = tmp_path / "mallory"
    aged(home / "app/tmp/bait", 99)
    os.chown(home, 65534, 65534)
    (home / "link").symlink_to(tmp_path / "elsewhere")
    stop, swaps = threading.Event(), [0]

    def attack() -> None:
        while not stop.is_set():
            swaps[0] += exchange(f"{home}/app", f"{home}/link")

    attacker = threading.Thread(target=attack)
    attacker.start()
    refused = 0
    try:
        for _ in range(60):
            refused += bool(module("find_delete", paths=str(home / "app/tmp"), age="1d").get("failed"))
    finally:
        stop.set()
        attacker.join()
    assert victim.exists() and refused > 0 and swaps[0] >= SWAPS // 10


def refill(root: Path, number: int) -> None:
    try:
        (root / f"d{number}/sub").mkdir(parents=True, exist_ok=True)
        aged(root / f"d{number}/sub/bait", 99)
        (root / f"link{number}").symlink_to(root.parent / f"victim/{number}")
    except OSError:
        pass  # the cleaner or the swap was faster
