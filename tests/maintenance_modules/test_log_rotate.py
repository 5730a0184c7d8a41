"""log_rotate: no line lost or doubled, whatever breaks in between (fault row 40)."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

LINES = int(os.environ.get("OPSPLAY_TEST_LINES", "40000"))
RATE = float(os.environ.get("OPSPLAY_TEST_RATE", "10000"))
WRITER = Path(__file__).with_name("numbered_writer.py")


@contextmanager
def writer(log: Path, lines: int, mode: str = "reopen") -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, WRITER, log, str(lines), str(RATE), mode], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "ready\n"
    log.with_suffix(".pid").write_text(f"{process.pid}\n")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def numbers(folder: Path, log: str = "app.log") -> list[int]:
    """Every line number in all copies."""
    found: list[int] = []
    for path in folder.iterdir():
        if path.name.startswith(log) and not path.name.endswith(".pid"):
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert not data or data.endswith(b"\n"), path
            found += [int(line.split()[1]) for line in data.splitlines()]
    return sorted(found)


@pytest.mark.parametrize("suffix", ["timestamp", "number"])
def test_a_busy_writer_loses_and_doubles_nothing(module: Any, tmp_path: Path, suffix: str) -> None:
    log = tmp_path / "app.log"
    rotations = 0
    with writer(log, LINES // 2) as process:
        while process.poll() is None:
            done = module("log_rotate", path=str(log), max_size="40k", suffix=suffix, pid_file=str(log.with_suffix(".pid")))
            assert not done.get("failed"), done
            assert done["still_open"] == [] and "warnings" not in done
            rotations += len(done["rotated"])
    assert rotations >= 10
    assert numbers(tmp_path) == list(range(LINES // 2))
    assert not list(tmp_path.glob("*.part"))


def test_second_run_changes_nothing_and_check_mode_predicts(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"x\n" * 5000)
    os.chmod(log, 0o640)
    if os.geteuid() == 0:
        os.chown(log, 65534, 65534)
    before = log.stat()
    for number in range(1, 4):
        copy = tmp_path / f"app.log.{number}.gz"
        copy.write_bytes(gzip.compress(b"old\n" * 100))
    wanted = {"path": str(log), "max_size": "5k", "suffix": "number", "keep": 3}
    seen, done = module("log_rotate", check=True, **wanted), module("log_rotate", **wanted)
    assert {key: seen[key] for key in ("rotated", "compressed", "deleted")} == {key: done[key] for key in ("rotated", "compressed", "deleted")}
    assert done["rotated"][0]["to"] == f"{log}.1" and done["compressed"] == [f"{log}.1.gz"] and done["deleted"] == [f"{log}.4.gz"]
    after = log.stat()
    assert (after.st_size, after.st_mode, after.st_uid, after.st_gid) == (0, before.st_mode, before.st_uid, before.st_gid)
    packed = (tmp_path / "app.log.1.gz").stat()
    assert (packed.st_mode, packed.st_uid) == (before.st_mode, before.st_uid)
    again = module("log_rotate", **wanted)
    assert not again["changed"] and again["rotated"] == []


def test_age_and_retention(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("now\n")
    stamps = [time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time() - days * 86400)) for days in (2, 20, 40)]
    for stamp, days in zip(stamps, (2, 20, 40), strict=True):
        copy = tmp_path / f"app.log.{stamp}.gz"
        copy.write_bytes(gzip.compress(b"old\n"))
        os.utime(copy, (time.time() - days * 86400,) * 2)
    done = module("log_rotate", path=str(log), max_age="1d", retention="30d")
    assert done["rotated"][0]["reason"] == "last rotated 2 d ago" and done["deleted"] == [f"{log}.{stamps[2]}.gz"]
    assert not module("log_rotate", path=str(log), max_age="1d", retention="30d")["changed"]
    assert not module("log_rotate", path=str(log), max_age="1d")["changed"], "an empty log is not rotated"


def test_copies_others_rotated_are_compressed_later(module: Any, tmp_path: Path) -> None:
    log, young, old = tmp_path / "a.log", tmp_path / "b.log.1", tmp_path / "a.log.1"
    for path in (log, young, old, tmp_path / "b.log"):
        path.write_text("line\n")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    done = module("log_rotate", path=f"{tmp_path}/*.log", compress_after="1d")
    assert done["compressed"] == [f"{old}.gz"] and young.exists() and done["changed"]


def test_two_rotations_in_one_second(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    for turn in range(3):
        log.write_text(f"line {turn}\n")
        assert module("log_rotate", path=str(log), max_size="1")["changed"]
    assert numbers(tmp_path) == [0, 1, 2] and len(list(tmp_path.glob("*.gz"))) == 3


def test_a_writer_that_does_not_reopen_keeps_its_copy_plain(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with writer(log, 100000, "deaf") as process:
        time.sleep(0.3)
        done = module("log_rotate", path=str(log), max_size="1k", reopen_timeout=0.2, command="true")
        assert str(process.pid) in done["still_open"][0]["by"] and done["compressed"] == [] and done["warnings"]
    assert module("log_rotate", path=str(log), max_size="1k")["compressed"] != []


def test_a_log_in_use_stays_where_nothing_says_how_to_tell_its_writer(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with writer(log, 100000) as process:
        time.sleep(0.3)
        done = module("log_rotate", path=f"{tmp_path}/*.log", max_size="1k")
        assert str(process.pid) in done["still_open"][0]["by"] and done["rotated"] == [] and "not rotated" in done["warnings"][0]


def test_nobody_to_tell_is_said_before_anything_is_renamed(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with writer(log, 100000, "deaf"):
        time.sleep(0.3)
        done = module("log_rotate", path=str(log), max_size="1k", pid_file=str(tmp_path / "none.pid"))
    assert done["failed"] and "nothing was rotated" in done["msg"]
    assert [path.name for path in tmp_path.glob("app.log*")] == ["app.log"]


def test_copytruncate_is_opted_into_and_counts_its_risk(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    lines = LINES // 2
    with writer(log, lines, "deaf") as process:
        risk = rotations = 0
        while process.poll() is None:
            time.sleep(0.2)
            done = module("log_rotate", path=str(log), max_size="20k", copytruncate=True)
            risk, rotations = risk + done["bytes_at_risk"], rotations + len(done["rotated"])
    kept = [int(line.split()[1]) for path in sorted(tmp_path.glob("app.log*"))
            for line in (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() if path.suffix != ".pid" else b"").splitlines()
            if line.startswith(b"line ") and len(line) > 40]
    lost = lines - len(set(kept))
    print(f"copytruncate: {rotations} rotations, {lost} of {lines} lines lost, {risk} bytes said to be at risk")
    assert rotations >= 3 and risk > 0 and len(set(kept)) == len(kept)
    assert lost * 60 <= max(20 * risk, 60 * 60)


def test_copytruncate_refuses_a_writer_that_does_not_append(module: Any, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("w") as stream:
        stream.write("line\n" * 1000)
        stream.flush()
        done = module("log_rotate", path=str(log), max_size="1k", copytruncate=True)
    assert done["failed"] and "NUL" in done["msg"] and log.stat().st_size == 5000


def crash_at(step: int, log: Path, suffix: str) -> bool:
    """Rotate in a process that dies before its step-th change of the file system. False when it got through."""
    program = Path(__file__).with_name("crashing_rotation.py")
    done = subprocess.run([sys.executable, str(program), str(step), str(log), suffix], timeout=60, check=False)
    assert done.returncode in (0, 9)
    return done.returncode == 9


@pytest.mark.parametrize("suffix", ["timestamp", "number"])
def test_a_crash_at_every_step_loses_nothing(module: Any, tmp_path: Path, suffix: str) -> None:
    step, crashed = 0, True
    while crashed:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        log = folder / "app.log"
        for turn in range(2):
            log.write_text("".join(f"line {turn * 100 + number}\n" for number in range(100)))
            module("log_rotate", path=str(log), max_size="1", suffix=suffix)
        log.write_text("".join(f"line {200 + number}\n" for number in range(100)))
        crashed = crash_at(step, log, suffix)
        done = module("log_rotate", path=str(log), max_size="1", suffix=suffix)
        assert not done.get("failed"), done
        assert numbers(folder) == list(range(300)), step
        assert not list(folder.glob("*.part"))
        assert not module("log_rotate", path=str(log), max_size="1", suffix=suffix)["changed"]
    assert step >= 12


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_no_space_while_compressing_leaves_the_plain_copy(tmp_path: Path) -> None:
    script = f"""
        mount -t tmpfs -o size=1m none {tmp_path}
        head -c 900000 /dev/urandom | base64 -w 60 | head -c 900000 > {tmp_path}/app.log; sha256sum < {tmp_path}/app.log
        {sys.executable} -c "import sys, json; sys.path.insert(0, '{Path(__file__).parent}'); import module_call as c
print(json.dumps(c.run_module('log_rotate', path='{tmp_path}/app.log', max_size='1k', suffix='number')))"
        sha256sum < {tmp_path}/app.log.1; ls {tmp_path}"""
    done = subprocess.run(["unshare", "-m", "sh", "-ec", script], capture_output=True, text=True, timeout=60)
    before, result, after, *names = done.stdout.splitlines()
    assert before == after and names == ["app.log", "app.log.1"], done.stderr
    assert "no space left to compress" in result and '"failed": true' in result


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_links_and_foreign_pid_files_lead_nowhere(module: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s\n" * 100)
    folder = tmp_path / "logs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    (folder / "app.log").symlink_to(secret)
    assert not module("log_rotate", path=str(folder / "app.log"), max_size="1")["changed"]
    other = folder / "b.log"
    os.link(secret, folder / "b.log.1")
    other.write_text("x\n")
    done = module("log_rotate", path=str(other), max_size="1M")
    assert done["failed"] and secret.read_text() == "s\n" * 100
    (folder / "b.log.1").unlink()
    sleeper = subprocess.Popen(["sleep", "30"])
    (folder / "pid").write_text(f"{sleeper.pid}\n")
    os.chown(folder / "pid", 65534, 65534)
    done = module("log_rotate", path=str(other), max_size="1", pid_file=str(folder / "pid"))
    alive = sleeper.poll() is None
    sleeper.send_signal(signal.SIGKILL)
    sleeper.wait()
    assert done["failed"] and "no signal is sent" in done["msg"] and alive and other.exists()
