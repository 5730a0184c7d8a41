"""The hosts of a bench: an sshd of its own on a free port, reached by many loopback addresses, and a user made for it."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SSHD = """Port {port}
ListenAddress 0.0.0.0
HostKey {folder}/hostkey
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
MaxStartups 2000
MaxSessions 2000
LogLevel ERROR
Subsystem sftp internal-sftp
"""


@dataclass
class Hosts:
    """A running sshd. `address(i)` is the host of that number, `base(i)` its folder for the work."""

    folder: Path
    port: int
    user: str
    pid: int
    group: Path | None = None
    owner: str = "all"  # whose run it is: every peer finds what its own runs left

    @property
    def key(self) -> Path:
        return self.folder / "key"

    def address(self, index: int) -> str:
        return f"127.1.{(index + 1) // 250}.{(index + 1) % 250}"

    def base(self, index: int) -> str:
        return f"{self.folder}/data/{self.owner}/h{index}"

    def cpu(self) -> float:
        """Seconds of CPU of sshd and all below it: what the hosts paid. Without a control group, of ended sessions."""
        if self.group is not None:
            return int((self.group / "cpuacct.usage").read_text()) / 1e9
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def wipe(self) -> None:
        """The owner's folders, empty as on new hosts."""
        folder = self.folder / "data" / self.owner
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o777)

    def inventory(self, count: int, port: int) -> Path:
        """One inventory for opsplay and Ansible alike."""
        lines = [
            f"h{i} ansible_host={self.address(i)} ansible_port={port} ansible_user={self.user} "
            f"ansible_ssh_private_key_file={self.key} ansible_host_key_checking=false "
            f"ansible_python_interpreter=/usr/bin/python3 base={self.base(i)}\n"
            for i in range(count)
        ]
        path = self.folder / f"hosts-{count}-{port}"
        path.write_text("".join(lines))
        return path


@contextlib.contextmanager
def running() -> Iterator[Hosts]:
    """Everything is made in a temporary folder, and all of it is gone behind."""
    folder = Path(tempfile.mkdtemp(prefix="opsplay-bench-"))
    folder.chmod(0o755)
    user = made_user(folder)
    server = hosts = None
    try:
        for name in ("hostkey", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        (folder / "key.pub").chmod(0o644)
        port = free_port()
        (folder / "sshd_config").write_text(SSHD.format(port=port, folder=folder))
        server = subprocess.Popen(
            [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-E", folder / "sshd.log", "-f", folder / "sshd_config"]
        )
        await_port(port)
        hosts = Hosts(folder, port, user, server.pid, group_of(server.pid))
        yield hosts
    finally:
        if server is not None:
            server.terminate()
            server.wait()
        if hosts is not None and hosts.group is not None:
            with contextlib.suppress(OSError):
                hosts.group.rmdir()
        if user != pwd.getpwuid(os.getuid()).pw_name:
            remove_user(user)
        shutil.rmtree(folder, ignore_errors=True)


def group_of(pid: int) -> Path | None:
    """A control group that counts the hosts' CPU, where the machine lets us make one."""
    group = Path("/sys/fs/cgroup/cpuacct") / f"opsplay-bench-{pid}"
    try:
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return None
    return group


def made_user(folder: Path) -> str:
    """As root a user without rights, made for this bench; else whoever runs it."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    name = "bench" + secrets.token_hex(4)
    Path("/run/sshd").mkdir(exist_ok=True)
    subprocess.run(
        ["useradd", "--create-home", "--home-dir", folder / "home", "--shell", "/bin/bash", name], check=True
    )
    subprocess.run(["usermod", "--password", "*", name], check=True)
    return name


def remove_user(name: str) -> None:
    """Ends what the bench's own user still runs, and removes the user."""
    uid = pwd.getpwnam(name).pw_uid
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                os.kill(int(entry.name), 9)
    time.sleep(0.2)
    subprocess.run(["userdel", "--force", name], check=False, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
