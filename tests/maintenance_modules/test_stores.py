"""sqlite_query, sqlite_maintain, redis_info, needs_restart, apt_upgradable against real files, servers and processes."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "app #1?.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
        database.executemany("INSERT INTO orders (note) VALUES (?)", [("x" * 500,)] * 2000)
        database.execute("CREATE INDEX by_note ON orders (note)")
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM orders WHERE id % 4 > 0")
    database.close()
    return path


def test_sqlite_query_reads_only(module: Any, store: Path) -> None:
    done = module("sqlite_query", path=str(store), query="SELECT count(*) AS n, x'00ff' AS b FROM orders WHERE id > ?", args=[0])
    assert done["query_result"] == [{"n": 500, "b": "\\x00ff"}] and done["value"] == 500 and not done["changed"]
    assert "readonly" in module("sqlite_query", path=str(store), query="DELETE FROM orders")["msg"]
    assert module("sqlite_query", path=str(store) + "x", query="SELECT 1")["failed"]
    assert not os.path.exists(str(store) + "x")


def test_sqlite_maintain_works_where_it_pays_and_once(module: Any, store: Path) -> None:
    seen, done, again = (module("sqlite_maintain", check=check, path=str(store)) for check in (True, False, False))
    assert seen["actions"] == done["actions"] == ["vacuum", "analyze"] and seen["size_before"] == seen["size_after"]
    assert done["changed"] and done["bytes_freed"] > 500_000 and done["integrity"] == "ok" and not again["changed"]
    assert module("sqlite_query", path=str(store), query="SELECT count(*) FROM orders")["value"] == 500


def test_sqlite_maintain_waits_for_a_writer_no_longer_than_said(module: Any, store: Path) -> None:
    with sqlite3.connect(store) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        done = module("sqlite_maintain", path=str(store), timeout=0.3)
    writer.close()
    assert done["failed"] and "locked" in done["msg"] and time.monotonic() - started < 3


def test_damage_is_a_failure(module: Any, store: Path) -> None:
    data = bytearray(store.read_bytes())
    data[8192:12288] = os.urandom(4096)
    store.write_bytes(data)
    assert "damaged" in module("sqlite_maintain", path=str(store))["msg"]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[int]:
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "s3cret", "--save", "", "--dir", str(tmp_path),
             "--unixsocket", str(tmp_path / "s")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait()


def test_redis_info(module: Any, redis: int, tmp_path: Path) -> None:
    client = ["redis-cli", "-p", str(redis), "-a", "s3cret", "--no-auth-warning"]
    for words in (["set", "a", "1"], ["get", "a"], ["get", "a"], ["get", "a"], ["get", "b"]):
        subprocess.run([*client, *words], check=True, stdout=subprocess.DEVNULL)
    done = module("redis_info", login_host="127.0.0.1", login_port=redis, login_password="s3cret")
    assert done["hit_ratio"] == 75.0 and done["keys"] == 1 and done["used_memory"] > 100_000 and done["info"]["redis_version"]
    assert module("redis_info", login_unix_socket=str(tmp_path / "s"), login_password="s3cret")["keys"] == 1
    assert "refused" in module("redis_info", login_host="127.0.0.1", login_port=redis, login_password="wrong")["msg"]
    assert "unable to connect" in module("redis_info", login_host="127.0.0.1", login_port=1)["msg"]


def test_needs_restart_sees_a_process_with_a_replaced_library(module: Any, tmp_path: Path) -> None:
    folder = Path("/usr/local/lib") if os.geteuid() == 0 else tmp_path / "opt"
    folder.mkdir(exist_ok=True)
    library = folder / f"libopsplay-test-{os.getpid()}.so.1"
    library.write_bytes(os.urandom(8192))
    script = f"import mmap, os; m = mmap.mmap(os.open({str(library)!r}, os.O_RDONLY), 0, prot=mmap.PROT_READ); print('ok', flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "ok\n"
    mine = [entry for entry in module("needs_restart")["processes"] if entry["pid"] == process.pid]
    library.unlink()
    after = [entry for entry in module("needs_restart")["processes"] if entry["pid"] == process.pid]
    process.kill()
    process.wait()
    assert mine == [] and after[0]["files"] == [str(library)]
    assert process.pid not in [entry["pid"] for entry in module("needs_restart")["processes"]]


def test_apt_upgradable(module: Any) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("no apt-get here")
    done = module("apt_upgradable")
    assert done["count"] == len(done["names"]) and not done["changed"] and isinstance(done["held"], list)


def test_simulated_upgrades_are_read() -> None:
    from opsplay.remote.modules.apt_upgradable import INSTALL, _kept_back, _package

    lines = ["Inst lab-openssl-ish [1.0] (1.1 Debian-Security:12/stable-security, Lab:stable [all])", "Inst new (2.0 Lab:stable [amd64])",
             "Inst a [1:1.0-1] (1:1.0-2 Debian:12.5/stable [amd64]) []"]
    packages = [_package(match) for match in map(INSTALL.match, lines) if match]
    assert [(package["name"], package["old"], package["new"], package["security"]) for package in packages] == [
        ("lab-openssl-ish", "1.0", "1.1", True), ("new", "", "2.0", False), ("a", "1:1.0-1", "1:1.0-2", False)]
    assert _kept_back("The following packages have been kept back:\n  lab-held other\n0 upgraded") == ["lab-held", "other"]
