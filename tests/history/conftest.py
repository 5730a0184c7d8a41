"""A private PostgreSQL for the history's tests, and the weekly run that the report tests tell."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from weekly_run import weekly_run

from opsplay.events import Event


@pytest.fixture
def events() -> list[Event]:
    return weekly_run()


def binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    assert initdb, "the history is tested on a real PostgreSQL: install it with `apt-get install postgresql`"
    return Path(initdb).parent


def unprivileged() -> dict[str, int]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server that listens on a socket in a private folder only."""
    folder = Path(tempfile.mkdtemp(prefix="opsplay-pg-"))
    owner = unprivileged()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    data, programs = folder / "data", binaries()
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": folder,
        "check": True,
        "timeout": 60,
        **owner,
    }
    try:
        initdb = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "history",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(initdb, **quiet)  # type: ignore[call-overload]
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        start = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"]
        subprocess.run(start, **quiet)  # type: ignore[call-overload]
        yield f"postgresql://history@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database of each kind."""
    if request.param == "sqlite":
        yield str(tmp_path / "history.sqlite3")
        return
    import psycopg

    url: str = request.getfixturevalue("postgresql")
    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield url.replace("/postgres?", f"/{name}?")
