"""Owns an SSH server run by an ordinary user on a loopback address: Debian's sshd, or asyncssh where there is none."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.hosts import LabHost
from opsplay.lab.nspawn import detach

CONFIG = """\
ListenAddress {address}
Port {port}
HostKey {host_key}
PidFile none
AuthorizedKeysFile {allowed}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
KexAlgorithms curve25519-sha256
MaxStartups 200:30:400
MaxSessions 100
UseDNS no
SetEnv OPSPLAY_LAB_ID={lab_id} LAB_ROOT={root}
Subsystem sftp internal-sftp
"""


def sshd_binary() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port(address: str) -> int:
    """A port that nobody has now; whoever takes it before us makes the start fail, which is tried again."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def configure(host: LabHost, host_key: Path, lab_id: str) -> None:
    """Everything that starting, and starting again, needs stands in the host's home."""
    allowed = host.home / "authorized_keys"
    allowed.write_bytes(host.key.with_suffix(".pub").read_bytes())
    text = CONFIG.format(
        address=host.address,
        port=host.port,
        host_key=host_key,
        allowed=allowed,
        lab_id=lab_id,
        root=host.home / "root",
    )
    (host.home / "sshd_config").write_text(text)


def start_sshd(host: LabHost, lab_id: str) -> None:
    config = host.home / "sshd_config"
    if sshd := sshd_binary():
        command = [sshd, "-D", "-e", "-f", str(config)]
    elif importlib.util.find_spec("asyncssh"):
        command = [sys.executable, "-m", "opsplay.lab.asyncssh_server", str(config)]
    else:
        raise no_server()
    spawn(command, host.home, "sshd.log", lab_id)


def spawn(command: list[str], home: Path, log: str, lab_id: str, more: dict[str, str] | None = None) -> None:
    """Start a server that outlives us; its folder and its environment say which lab it belongs to."""
    environment = {**os.environ, **(more or {}), "OPSPLAY_LAB_ID": lab_id}
    with (home / log).open("ab") as out:
        detach(command, out, environment, home)


def no_server() -> OpsError:
    return OpsError(
        "lab-no-ssh-server",
        "a reduced lab needs an SSH server: there is neither sshd nor the Python package asyncssh",
        remedy="Install one: apt-get install openssh-server\nor: pip install 'opsplay[lab]'",
        fault=Fault.USAGE,
    )
