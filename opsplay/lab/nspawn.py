"""Owns one real host: its overlay file system, what is put on it before it boots, and its systemd-nspawn."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from opsplay.errors import Fault, OpsError
from opsplay.lab.cgroups import inits_in, kill, make_group, processes_in
from opsplay.lab.ledger import Ledger
from opsplay.lab.network import namespace_name

KEEPER = Path(__file__).with_name("keeper.sh")
AGES = "var/lib/opsplay-lab/ages"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """All that starting (or starting anew) one host takes."""

    lab_id: str
    name: str
    home: Path
    layers: tuple[Path, ...]
    host_key: Path
    client_key: Path
    operator_hash: str
    names: str
    root_size: str = ""

    @property
    def root(self) -> Path:
        return self.home / "root"

    @property
    def group(self) -> str:
        return f"opsplay-lab-{self.lab_id}/{self.name}"

    @property
    def machine(self) -> str:
        return f"opl{self.lab_id}-{self.name}"


def start_host(plan: Blueprint, ledger: Ledger) -> None:
    """Mount, furnish and boot; returns at once, readiness is waited for elsewhere."""
    mount_root(plan, ledger)
    furnish(plan)
    set_ages(plan.root)
    boot(plan, ledger)


def mount_root(plan: Blueprint, ledger: Ledger) -> None:
    writable = plan.home / "writable"
    for folder in (plan.root, writable):
        folder.mkdir(parents=True, exist_ok=True)
    if plan.root_size:
        ledger.note("mount", str(writable))
        mount(["-t", "tmpfs", "-o", f"size={plan.root_size},mode=755", plan.machine, str(writable)])
    for part in ("upper", "work"):
        (writable / part).mkdir(exist_ok=True)
    lower = ":".join(str(layer) for layer in plan.layers)
    options = f"lowerdir={lower},upperdir={writable}/upper,workdir={writable}/work"
    ledger.note("mount", str(plan.root))
    mount(["-t", "overlay", "-o", options, plan.machine, str(plan.root)])


def mount(arguments: list[str]) -> None:
    done = subprocess.run(["mount", *arguments], text=True, capture_output=True, timeout=30, check=False)
    if done.returncode:
        raise OpsError(
            "lab-mount-failed",
            f"mount {' '.join(arguments)} failed: {done.stderr.strip()}",
            remedy="The lab needs overlayfs and the right to mount (root with CAP_SYS_ADMIN), and its home on a disk\n"
            "that is no overlay itself: export OPSPLAY_LAB_HOME=<folder>\nWithout them: opsplay lab up --reduced",
            fault=Fault.HOST,
        )


def furnish(plan: Blueprint) -> None:
    """What makes this host itself: name, keys, who may log in."""
    etc = plan.root / "etc"
    (etc / "hostname").write_text(f"{plan.name}\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n{plan.names}")
    (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
    put(plan.host_key.read_bytes(), etc / "ssh" / "ssh_host_ed25519_key", 0o600)
    put(plan.host_key.with_suffix(".pub").read_bytes(), etc / "ssh" / "ssh_host_ed25519_key.pub", 0o644)
    shadow = (etc / "shadow").read_text()
    put(shadow.replace("\noperator:!:", f"\noperator:{plan.operator_hash}:").encode(), etc / "shadow", 0o640)
    allowed = plan.client_key.with_suffix(".pub").read_bytes()
    for home, number, group in accounts(etc / "passwd"):
        ssh = plan.root / home.lstrip("/") / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        put(allowed, ssh / "authorized_keys", 0o600)
        os.chown(ssh, number, group)
        os.chown(ssh / "authorized_keys", number, group)


def put(data: bytes, path: Path, mode: int) -> None:
    path.write_bytes(data)
    path.chmod(mode)


def accounts(passwd: Path) -> list[tuple[str, int, int]]:
    """Home, uid and gid of the three accounts that the lab's key opens."""
    rows = [line.split(":") for line in passwd.read_text().splitlines()]
    return [(row[5], int(row[2]), int(row[3])) for row in rows if row[0] in ("root", "deploy", "operator")]


def set_ages(root: Path) -> None:
    """Let files look as old as the seed wants them, counted from now and not from when the image was built."""
    now = time.time()
    for table in sorted((root / AGES).glob("*.tsv")):
        for line in table.read_text().splitlines():
            seconds, _, path = line.partition("\t")
            moment = now - int(seconds)
            with contextlib.suppress(FileNotFoundError):
                os.utime(root / path.lstrip("/"), (moment, moment), follow_symlinks=False)


def boot(plan: Blueprint, ledger: Ledger) -> None:
    ledger.note("cgroup", plan.group)
    ledger.note("machine", plan.machine)
    groups = make_group(plan.group)
    (plan.home / "stop").unlink(missing_ok=True)
    environment = {
        "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        "CGROUPS": " ".join(map(str, groups)),
    }
    with (plan.home / "console.log").open("ab") as console:
        detach(["bash", str(KEEPER), str(plan.home), *nspawn_command(plan)], console, environment)


def detach(command: list[str], log: IO[bytes], environment: dict[str, str], folder: Path = Path("/")) -> None:
    """Start a process in a session of its own that is no child of ours, so that nobody has to wait for its end."""
    subprocess.run(
        ["setsid", "--fork", *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        cwd=folder,
        check=True,
        timeout=30,
    )


def nspawn_command(plan: Blueprint) -> list[str]:
    return [
        "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit",
        f"--directory={plan.root}", f"--machine={plan.machine}", f"--hostname={plan.name}",
        f"--network-namespace-path=/run/netns/{namespace_name(plan.lab_id, plan.name)}",
        "--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe",
        "--tmpfs=/srv/data:size=16M,mode=1777",
    ]  # fmt: skip


def stop_host(home: Path, group: str, patience: float = 3) -> None:
    """Power off at once: no reboot, PID 1 killed; systemd-nspawn tidies up and goes, or is killed as well."""
    if home.is_dir():
        (home / "stop").touch()
    deadline = time.monotonic() + patience
    while processes_in(group):
        late = time.monotonic() > deadline
        kill(processes_in(group) if late else inits_in(group))
        time.sleep(0.01)
        if time.monotonic() > deadline + patience:
            raise OpsError(
                "lab-host-immortal",
                f"processes of {home.name} survive SIGKILL: {sorted(processes_in(group))}",
                remedy="They wait for the kernel or a disk; try again: opsplay lab down",
                fault=Fault.HOST,
            )


def forget_machine(machine: str) -> None:
    """What a killed systemd-nspawn leaves below /run."""
    for place in ("propagate", "unix-export"):
        left = Path("/run/systemd/nspawn", place, machine)
        if left.is_dir():
            subprocess.run(["umount", "-l", str(left)], capture_output=True, timeout=30, check=False)
            shutil.rmtree(left, ignore_errors=True)
