"""A real sshd of our own: a free port of 127.0.0.1, its own keys, ended with the test."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from opsplay.transport.protocol import Address

# Any of the Pythons promised for hosts may serve as the host's.
PYTHON = os.environ.get("OPSPLAY_TEST_PYTHON", sys.executable)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)], check=True, timeout=30)
    return path


class PrivateSshd:
    """`options` are further sshd_config lines. `address()` is how to log in as the user who runs the tests."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.host_key = folder / "host_ed25519"
        self.client_key = folder / "client"
        self.known_hosts = folder / "known_hosts"
        self.authorized = folder / "authorized_keys"
        self.options = list(options)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        for key in (self.host_key, self.client_key):
            if not key.exists():
                make_key(key)
        if not self.authorized.exists():
            self.authorized.write_text(self.client_key.with_suffix(".pub").read_text())
        self.authorized.chmod(0o644)
        self.know(self.host_key)
        self.process: subprocess.Popen[bytes] | None = None

    def know(self, key: Path) -> None:
        kind, blob = Path(f"{key}.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {blob}\n")

    def config(self) -> str:
        own = [line.split()[0].lower() for line in self.options]
        lines = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {self.host_key}", "PidFile none",
            f"AuthorizedKeysFile {self.authorized} .ssh/authorized_keys", "StrictModes no", "UsePAM no", "PermitRootLogin yes",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "LogLevel VERBOSE", "UseDNS no",
            "MaxStartups 200:30:400", "MaxSessions 50", "Subsystem sftp internal-sftp",
        ]  # fmt: skip
        return "\n".join([*self.options, *(line for line in lines if line.split()[0].lower() not in own)]) + "\n"

    def start(self) -> PrivateSshd:
        config = self.folder / "sshd_config"
        config.write_text(self.config())
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)
        raise AssertionError("sshd did not listen")

    def stop(self, sessions_too: bool = True) -> None:
        if self.process is None:
            return
        children = self.children() if sessions_too else []
        self.process.terminate()
        self.process.wait(10)
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 15)
        self.process = None

    def children(self) -> list[int]:
        """The sshd processes that serve connections."""
        assert self.process is not None
        return children_of(self.process.pid)

    def address(self, **changes: object) -> Address:
        fields: dict[str, object] = {
            "host": "h1", "hostname": "127.0.0.1", "port": self.port, "user": getpass.getuser(),
            "private_key_file": str(self.client_key), "known_hosts_file": str(self.known_hosts), "python": PYTHON,
            "ssh_args": "-F none -o IdentitiesOnly=yes -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null",
        }  # fmt: skip
        return Address(**{**fields, **changes})  # type: ignore[arg-type]


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]
