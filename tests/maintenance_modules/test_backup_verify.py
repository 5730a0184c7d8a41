"""backup_verify: every broken backup is caught by restoring it, every good one passes (fault rows 38, 39, 14)."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "postgres"))
from private_server import BIN, Server


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: Any) -> Iterator[Path]:
    """Dumps of a real database with owners, grants, a view, a sequence, a function and odd names."""
    folder = tmp_path_factory.mktemp("dumps")
    server = Server(["max_wal_senders = 4", "wal_level = replica"])
    try:
        server.start()
        server.run("CREATE ROLE app LOGIN", "CREATE DATABASE app OWNER app", "CREATE DATABASE other", "CREATE DATABASE bare")
        server.run("CREATE TABLE customers (id serial PRIMARY KEY, name text)",
                   "INSERT INTO customers (name) SELECT 'it''s \\ ' || md5(i::text) FROM generate_series(1, 500) i",
                   "CREATE TABLE \"Odd name\" (a int)", "INSERT INTO \"Odd name\" VALUES (1)",
                   "CREATE VIEW v AS SELECT count(*) FROM customers", "GRANT SELECT ON customers TO PUBLIC",
                   "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'a\\b' $$",
                   "CREATE EXTENSION pg_trgm", "CREATE INDEX ON customers USING gin (name gin_trgm_ops)", "CREATE PUBLICATION p FOR TABLE customers",
                   dbname="app")
        server.run("CREATE TABLE customers (id int)", "CREATE TABLE \"Odd name\" (a int)", dbname="bare")
        server.run("CREATE TABLE something AS SELECT 1 a", dbname="other")
        for name in ("app", "other", "bare"):
            dump(server, folder / f"{name}.sql", "-d", name)
            dump(server, folder / f"{name}.dump", "-Fc", "-d", name)
        (folder / "app.sql.gz").write_bytes(gzip.compress((folder / "app.sql").read_bytes()))
        base_backup(server, folder / "base")
        yield folder
    finally:
        server.stop()


def dump(server: Server, target: Path, *words: str) -> None:
    with target.open("wb") as stream:
        subprocess.run([BIN / "pg_dump", "-h", server.folder, "-U", "postgres", *words], stdout=stream, check=True)


def base_backup(server: Server, target: Path) -> None:
    space = server.folder / "space"
    space.mkdir()
    if os.geteuid() == 0:
        shutil.chown(space, server.user)
    server.run(f"CREATE TABLESPACE away LOCATION '{space}'")
    server.run("CREATE TABLE far (a int) TABLESPACE away", "INSERT INTO far SELECT generate_series(1, 10)", dbname="app")
    subprocess.run([BIN / "pg_basebackup", "-h", server.folder, "-U", "postgres", "-D", target, "-c", "fast", "-X", "stream",
                    "-T", f"{space}={target}-space"], check=True)
    server.run("DROP TABLE far", dbname="app")
    server.run("DROP TABLESPACE away")


def scratch_is_gone(scratch: Path) -> bool:
    return not list(scratch.glob("opsplay-scratch-*"))


@pytest.fixture
def verify(module: Any, tmp_path_factory: Any) -> Iterator[Any]:
    scratch = Path("/tmp") / f"opsplay-test-scratch-{os.getpid()}-{time.monotonic_ns()}"
    scratch.mkdir()
    os.chmod(scratch, 0o755)

    def run(**arguments: Any) -> dict[str, Any]:
        done: dict[str, Any] = module("backup_verify", scratch=str(scratch), **arguments)
        assert scratch_is_gone(scratch) and not done["changed"]
        return done

    run.scratch = scratch  # type: ignore[attr-defined]
    yield run
    shutil.rmtree(scratch)


EXPECTED = {"max_age": "1d", "rto": "1m", "database": "app", "tables": {"customers": 500, "Odd name": 1},
            "queries": [{"query": "SELECT count(*) FROM customers WHERE name IS NULL", "expect": 0}]}


@pytest.mark.parametrize("name", ["app.sql", "app.sql.gz", "app.dump"])
def test_good_dumps_pass(verify: Any, dumps: Path, name: str) -> None:
    done = verify(path=str(dumps / name), **EXPECTED)
    assert done["verdict"] == "ok", done
    assert done["restored"] and done["rows"] == {"public.customers": 500, "public.Odd name": 1} and done["restored_seconds"] < 60
    assert done["kind"] == ("pg_custom" if name.endswith("dump") else "pg_plain")


def flip(data: bytes, where: float = 0.6) -> bytes:
    at = int(len(data) * where)
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def broken(dumps: Path, folder: Path, how: str) -> tuple[Path, dict[str, Any]]:
    plain, custom = (dumps / "app.sql").read_bytes(), (dumps / "app.dump").read_bytes()
    content: dict[str, tuple[str, bytes]] = {
        "flipped byte, custom": ("app.dump", flip(custom)), "flipped byte, gz": ("app.sql.gz", flip((dumps / "app.sql.gz").read_bytes())),
        "flipped byte, plain": ("app.sql", flip(plain, 0.5)), "truncated custom": ("app.dump", custom[: len(custom) // 2]),
        "truncated plain": ("app.sql", plain[: plain.index(b"\\.")]), "truncated gz": ("app.sql.gz", (dumps / "app.sql.gz").read_bytes()[:-500]),
        "empty": ("app.dump", b""), "empty plain": ("app.sql", b""), "wrong database, custom": ("app.dump", (dumps / "other.dump").read_bytes()),
        "wrong database, plain": ("app.sql", (dumps / "other.sql").read_bytes()), "too old": ("app.dump", custom), "no rows": ("app.dump", (dumps / "bare.dump").read_bytes()),
        "no rows, plain": ("app.sql", (dumps / "bare.sql").read_bytes()), "wrong key": ("app.dump.enc", encrypted(custom)),
        "newer version, plain": ("app.sql", plain.replace(b"-- Dumped by pg_dump version 1", b"-- Dumped by pg_dump version 9")),
        "newer version, custom": ("app.dump", custom[:6] + bytes([custom[6] + 9]) + custom[7:]), "not what it is called": ("app.dump", plain),
        "a text": ("app.sql", b"hello\n" * 100), "gzip bomb": ("app.sql.gz", gzip.compress(bytes(3 << 20))), "missing": ("other", b""),
    }  # fmt: skip
    name, data = content[how]
    path = folder / name
    path.write_bytes(data)
    extra: dict[str, Any] = {"max_unpacked": "2m"}
    if how == "too old":
        os.utime(path, (time.time() - 2 * 86400,) * 2)
    if how == "flipped byte, plain":
        (folder / "SHA256SUMS").write_text(f"{__import__('hashlib').sha256(plain).hexdigest()}  app.sql\n")
    if how == "wrong key":
        extra["decrypt"] = ["openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-pass", "pass:wrong"]
    return path if how != "missing" else folder / "app-%Y-%m-%d.dump", extra


def encrypted(data: bytes) -> bytes:
    words = ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", "pass:right"]
    return subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("how, said", [
    ("flipped byte, custom", ""), ("flipped byte, gz", "damaged"), ("flipped byte, plain", "differs from SHA256SUMS"), ("truncated custom", ""),
    ("truncated plain", "cut off"), ("truncated gz", "damaged"), ("empty", "less than"), ("empty plain", "less than"),
    ("wrong database, custom", "of the database other"), ("wrong database, plain", "no table customers"), ("too old", "more than 1d"),
    ("no rows", "fewer than"), ("no rows, plain", "fewer than"), ("wrong key", "decrypted"), ("newer version, plain", "made by PostgreSQL 9"),
    ("newer version, custom", "unsupported version"), ("not what it is called", "not pg_custom"), ("a text", "nothing a restore knows"),
    ("gzip bomb", "unpacks to more"), ("missing", "no backup is at"),
])
def test_broken_backups_are_caught(verify: Any, dumps: Path, tmp_path: Path, how: str, said: str) -> None:
    path, extra = broken(dumps, tmp_path, how)
    done = verify(path=str(path), **EXPECTED | extra)
    assert done["failed"] and done["verdict"] == "crit" and said in done["msg"], done
    if how in ("empty", "truncated plain"):
        quiet = verify(path=str(path), fail=False, **EXPECTED | extra)
        assert quiet["verdict"] == "crit" and "failed" not in quiet


HOSTILE = {
    "shell by psql": "\\! touch CANARY\n", "copy to program": "COPY (SELECT 1) TO PROGRAM 'touch CANARY';\n",
    "pipe": "SELECT 1 \\g |touch CANARY\n", "psql copy": "\\copy (SELECT 1) to program 'touch CANARY'\n",
    "variable": "\\set x `touch CANARY`\n", "output": "\\o |touch CANARY\nSELECT 1;\n", "unrestrict": "\\unrestrict abc\n\\! touch CANARY\n",
    "own restrict": "\\restrict abc\n\\unrestrict abc\n\\! touch CANARY\n",
    "after copy": "COPY public.t (a) FROM stdin;\n1\n\\.\n\\! touch CANARY\n",
    "superuser": "ALTER ROLE opsplay_restore SUPERUSER;\nCOPY (SELECT 1) TO PROGRAM 'touch CANARY';\n",
    "file": "COPY (SELECT 1) TO 'CANARY';\n", "large object": "SELECT lo_export(lo_from_bytea(0, 'x'), 'CANARY');\n",
    "language": "CREATE LANGUAGE plpython3u;\n", "name": "CREATE TABLE \"a\n\\! touch CANARY\n\" (a int);\n",
    "load": "LOAD '/tmp/evil.so';\n", "connect": "\\connect postgres opsplay_super\nCOPY (SELECT 1) TO PROGRAM 'touch CANARY';\n",
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_dumps_execute_nothing(verify: Any, dumps: Path, tmp_path: Path, how: str) -> None:
    os.chmod(tmp_path, 0o777)
    canary = tmp_path / "canary"
    text = (dumps / "bare.sql").read_text()
    path = tmp_path / "app.sql"
    body = "CREATE TABLE public.t (a int);\nINSERT INTO public.t VALUES (1);\n" + HOSTILE[how].replace("CANARY", str(canary))
    path.write_text(text.replace("\n--\n-- PostgreSQL database dump complete", body + "\n--\n-- PostgreSQL database dump complete"))
    assert str(canary) in path.read_text() or how in ("language", "load")
    done = verify(path=str(path))
    assert not canary.exists()
    assert done.get("failed") or how == "name", done


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_the_scratch_has_no_network_and_is_nobody(verify: Any, dumps: Path) -> None:
    done = verify(path=str(dumps / "app.dump"), queries=[
        {"query": "SELECT current_setting('is_superuser')", "expect": "off"}, {"query": "SELECT current_setting('listen_addresses')", "expect": ""}])
    assert done["verdict"] == "ok", done
    from opsplay.remote.scratch_space import Scratch
    from opsplay.remote.system import System

    with Scratch(System(), str(verify.scratch), "nobody") as scratch:
        assert scratch.run(["id", "-u"]).stdout.strip() == "65534"
        links = scratch.run(["ip", "-o", "link"]) if shutil.which("ip") else scratch.run(["cat", "/proc/net/dev"])
        assert "eth" not in links.stdout and "lo" in links.stdout


def test_a_killed_run_leaves_a_server_and_the_next_one_removes_it(verify: Any, dumps: Path, module: Any) -> None:
    script = (f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import module_call as c; "
              f"c.run_module('backup_verify', path={str(dumps / 'app.dump')!r}, scratch={str(verify.scratch)!r}, queries=[dict(query='SELECT pg_sleep(30)')])")
    process = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 20
    while not list(verify.scratch.glob("*/home/.s.PGSQL.5432")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(verify.scratch.glob("*/home/data/postmaster.pid"))
    verify(path=str(dumps / "app.sql.gz"))
    running = subprocess.run(["pgrep", "-f", str(verify.scratch)], capture_output=True, text=True).stdout
    assert running == ""


def sqlite_backup(path: Path, rows: int = 100) -> Path:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
        database.executemany("INSERT INTO orders (note) VALUES (?)", [("x" * 200,)] * rows)
        database.execute("CREATE INDEX by_note ON orders (note)")
    database.close()
    return path


def test_sqlite_backups(verify: Any, tmp_path: Path) -> None:
    good = sqlite_backup(tmp_path / "app.db")
    expected = {"tables": {"orders": 100}, "queries": [{"query": "SELECT max(id) FROM orders", "min": 100}]}
    done = verify(path=f"{tmp_path}/*.db", **expected)
    assert done["verdict"] == "ok" and done["rows"] == {"orders": 100} and done["kind"] == "sqlite", done
    data = good.read_bytes()
    for name, content in (("half", data[: len(data) // 2]), ("flip", data[:4096] + bytes(64) + data[4160:]), ("none", b""), ("text", b"hello" * 1000)):
        bad = tmp_path / f"{name}.sqlite3"
        bad.write_bytes(content)
        assert verify(path=str(bad), **expected)["failed"], name
    assert "fewer than" in verify(path=str(sqlite_backup(tmp_path / "zero.sqlite", 0)))["msg"]
    assert "no table other" in verify(path=str(good), tables={"other": 1})["msg"]
    assert good.read_bytes() == data


def tar_of(path: Path, *members: tuple[str, bytes | str], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def test_tar_backups(verify: Any, tmp_path: Path) -> None:
    good = tar_of(tmp_path / "site.tar.gz", ("./www/index.html", os.urandom(20000)), ("./www/b.css", b"y"))
    done = verify(path=str(good), members=["www/index.html", "*.css"], min_members=2)
    assert done["verdict"] == "ok" and done["members"] == 2 and done["restored"], done
    assert "*.js is not in it" in verify(path=str(good), members=["*.js"])["msg"]
    data = good.read_bytes()
    for name, content in (("half", data[: len(data) // 2]), ("tail", data[:-20]), ("flip", flip(data)), ("none", b"")):
        bad = tmp_path / f"{name}.tar.gz"
        bad.write_bytes(content)
        assert verify(path=str(bad))["failed"], name
    for name, members in (("up", [("../evil", b"x")]), ("root", [("/etc/evil", b"x")]), ("link", [("a", "/etc"), ("a/passwd", b"x")])):
        assert "hostile member" in verify(path=str(tar_of(tmp_path / f"{name}.tar.gz", *members)))["msg"], name
    bomb = tmp_path / "bomb.tar.gz"
    tar_of(bomb, ("zero", bytes(5 << 20)))
    assert verify(path=str(bomb), max_unpacked="1m")["failed"]


def test_sizes_ages_and_dates(verify: Any, tmp_path: Path) -> None:
    today = time.strftime("%Y-%m-%d")
    for name, size, age in ((f"b-{today}.bin", 100, 60), ("b-2000-01-01.bin", 1000, 90000)):
        (tmp_path / name).write_bytes(bytes(size))
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    done = verify(path=f"{tmp_path}/b-%Y-%m-%d.bin", kind="file", max_age="1h")
    assert done["verdict"] == "ok" and done["path"].endswith(f"b-{today}.bin") and 55 <= done["age_seconds"] <= 120
    shrunk = verify(path=f"{tmp_path}/b-*.bin", kind="file", max_shrink_pct=50)
    assert "the one before had 1000 B" in shrunk["msg"]
    assert "no checksum file" in verify(path=f"{tmp_path}/b-*.bin", kind="file", checksum="required")["msg"]
    assert verify(path=str(tmp_path / f"b-{today}.bin"), kind="file", restore=False)["verdict"] == "ok"


def test_a_good_base_backup_starts(verify: Any, dumps: Path) -> None:
    done = verify(path=str(dumps / "base"), database="app", tables={"customers": 500, "far": 10}, rto="1m",
                  queries=[{"query": "SELECT sum(a) FROM far", "expect": 55}])
    assert done["verdict"] == "ok" and done["kind"] == "pg_base", done


@pytest.mark.parametrize("how", ["truncated WAL", "missing segment", "missing tablespace", "flipped byte", "other version", "truncated WAL, no manifest",
                                 "missing segment, no manifest"])
def test_broken_base_backups_are_caught(verify: Any, dumps: Path, tmp_path: Path, how: str) -> None:
    copy = tmp_path / "base"
    shutil.copytree(dumps / "base", copy, symlinks=True)
    wal = sorted(path for path in (copy / "pg_wal").iterdir() if path.is_file() and len(path.name) == 24)
    if how.startswith("truncated"):
        wal[0].write_bytes(wal[0].read_bytes()[:8192])
    elif how.startswith("missing segment"):
        for path in wal:
            path.unlink()
    elif how == "missing tablespace":
        [link] = (copy / "pg_tblspc").iterdir()
        link.unlink()
        link.symlink_to(tmp_path / "nowhere")
    elif how == "flipped byte":
        largest = max((path for path in (copy / "base").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
        largest.write_bytes(flip(largest.read_bytes()))
    else:
        (copy / "PG_VERSION").write_text("9\n")
    if how.endswith("no manifest"):
        (copy / "backup_manifest").unlink()
    done = verify(path=str(copy), database="app", tables={"customers": 500})
    assert done["failed"] and done["verdict"] == "crit", done
    print(how, "->", done["msg"])
