"""A PostgreSQL server of our own: a fresh cluster in a temporary folder, on a unix socket only, as an ordinary user."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BIN = Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])


class Server:
    """`folder` holds the socket; `user` owns the cluster and is its superuser, next to "postgres"."""

    def __init__(self, settings: Sequence[str] = ()) -> None:
        self.user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.folder = Path(tempfile.mkdtemp(prefix="opsplay-pg-", dir="/tmp"))
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
        self.settings = settings
        self.data = self.folder / "data"

    def command(self, *words: str) -> list[str]:
        entry = pwd.getpwnam(self.user)
        prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"] if os.geteuid() == 0 else []
        return [*prefix, *words]

    def start(self) -> None:
        quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": self.folder}
        subprocess.run(self.command(str(BIN / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                                    "--locale=C", "-N"), **quiet)
        wanted = {"listen_addresses": "''", "unix_socket_directories": f"'{self.folder}'", "port": "5432", "fsync": "off",
                  "shared_buffers": "'16MB'", "max_connections": "40", "autovacuum": "off", "track_counts": "on"}
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in wanted.items())
            conf.writelines(f"{line}\n" for line in self.settings)
        self.up()

    def up(self) -> None:
        subprocess.run(self.command(str(BIN / "pg_ctl"), "-D", str(self.data), "-l", str(self.folder / "log"), "-w", "start"),
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def stop(self) -> None:
        subprocess.run(self.command(str(BIN / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "-w", "stop"),
                       check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, dbname: str = "postgres", user: str = "postgres", **options: Any) -> Any:
        import psycopg

        return psycopg.connect(host=str(self.folder), dbname=dbname, user=user, autocommit=True, **options)

    def run(self, *statements: str, dbname: str = "postgres", user: str = "postgres") -> Any:
        """The rows of the last statement, if it has any."""
        with self.connect(dbname, user) as connection:
            for text in statements:
                cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else None

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
