"""Owns a lab's SSH keys: one that opens all accounts, one per host, and what a client needs to check them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from opsplay.lab.hosts import LabHost

SSH_CONFIG = """\
Host {name} {address}
  HostName {address}
  Port {port}
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {known_hosts}
  StrictHostKeyChecking yes
  ConnectTimeout 5
"""


def make_key(path: Path, comment: str) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=30)
    return path


def write_client_files(folder: Path, hosts: list[LabHost]) -> None:
    """known_hosts and an ssh_config for `ssh -F`; both with absolute paths, so that any folder will do."""
    known_hosts = folder / "known_hosts"
    known = [known_line(host, (host_key(folder, host.name)).with_suffix(".pub").read_text()) for host in hosts]
    known_hosts.write_text("".join(known))
    blocks = [
        SSH_CONFIG.format(
            name=host.name, address=host.address, port=host.port, user=host.user, key=host.key, known_hosts=known_hosts
        )
        for host in hosts
    ]
    (folder / "ssh_config").write_text("\n".join(blocks))


def host_key(folder: Path, name: str) -> Path:
    return folder / "keys" / f"host-{name}"


def known_line(host: LabHost, public: str) -> str:
    address = host.address if host.port == 22 else f"[{host.address}]:{host.port}"
    kind, key = public.split()[:2]
    return f"{address} {kind} {key}\n"
