"""Real accounts for the become tests: made with useradd, with a password, a key to log in and their own sudoers file."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    name: str
    password: str
    home: Path

    def let_in(self, public_key: Path) -> None:
        """Notes the key in ~/.ssh/authorized_keys; sshd reads it as the user."""
        folder = self.home / ".ssh"
        folder.mkdir(exist_ok=True)
        (folder / "authorized_keys").write_text(public_key.read_text())


@contextmanager
def account(sudoers: str = "", shell: str = "/bin/sh") -> Iterator[Account]:
    """`sudoers` lines may say {name}."""
    name = f"ops{secrets.token_hex(4)}"
    made = Account(name, secrets.token_hex(8), Path("/home") / name)
    rules = Path("/etc/sudoers.d") / f"zz-{name}"
    subprocess.run(["useradd", "-m", "-s", shell, name], check=True, timeout=20)
    try:
        subprocess.run(["chpasswd"], input=f"{name}:{made.password}", text=True, check=True, timeout=20)
        if sudoers:
            rules.write_text(sudoers.format(name=name) + "\n")
            rules.chmod(0o440)
        yield made
    finally:
        rules.unlink(missing_ok=True)
        subprocess.run(["pkill", "-KILL", "-u", name], check=False, timeout=20)
        subprocess.run(["userdel", "-rf", name], check=False, timeout=20, capture_output=True)


ROOT = os.geteuid() == 0
