"""Owns the handle of a lab that is up: its hosts, what runs on them out of band, and its faults."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from opsplay.errors import Fault, OpsError, did_you_mean
from opsplay.lab.hosts import LabHost

POINTER = "lab-home"
RECORD = "lab.json"


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab. `kind` is "nspawn" (real hosts, root) or "reduced" (sshd as this user, no systemd, sudo or apt)."""

    id: str
    kind: str
    home: Path
    dir: Path
    inventory_path: Path
    hosts: tuple[LabHost, ...]
    controller_address: str = "127.0.0.1"
    operator_password: str = ""
    services: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def known_hosts(self) -> Path:
        return self.dir / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        return self.dir / "ssh_config"

    def host(self, name: str) -> LabHost:
        for host in self.hosts:
            if host.name == name:
                return host
        names = [host.name for host in self.hosts]
        raise OpsError(
            "lab-unknown-host",
            f'the lab has no host "{name}", it has {", ".join(names)}',
            remedy=did_you_mean(name, names) or "List them with: opsplay lab status",
            fault=Fault.USAGE,
        )

    def run(
        self, name: str, command: str, *, check: bool = True, text: str | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the host, out of band: as root by nsenter; on a reduced lab as the user."""
        home = self.host(name).home
        if self.kind == "nspawn":
            from opsplay.lab.guest import run_in_guest

            done = run_in_guest(home, command, text=text, timeout=timeout)
        else:
            from opsplay.lab.reduced import run_locally

            done = run_locally(home, command, text=text, timeout=timeout)
        if check and done.returncode:
            raise subprocess.CalledProcessError(done.returncode, f"{name}: {command}", done.stdout, done.stderr)
        return done

    def fault(self, name: str, kind: str, *values: str, **options: str) -> str:
        """Make or end a fault, e.g. `fault("web1", "latency", "40ms", loss="1%")`; returns what now holds, in words."""
        from opsplay.lab.faults import apply_fault

        return apply_fault(self, self.host(name), kind, values, options)

    def faults(self, name: str) -> dict[str, str]:
        """The faults that hold on a host now."""
        from opsplay.lab.faults import faults_of

        return faults_of(self.host(name))

    def is_on(self, name: str) -> bool:
        """Whether the host has power (real) or its SSH server greets (reduced)."""
        from opsplay.lab.guest import leader_of
        from opsplay.lab.readiness import greets

        host = self.host(name)
        return leader_of(host.home) is not None if self.kind == "nspawn" else greets(host.address, host.port)

    def reset(self, name: str) -> None:
        """End all faults of a host; what was changed in its files stays."""
        from opsplay.lab.faults import clear_faults

        clear_faults(self, self.host(name))

    def recreate(self, name: str) -> None:
        """Give a host a fresh file system and boot it: as after `up`, with the same address and host key (2 s)."""
        from opsplay.lab.recreation import recreate_host

        recreate_host(self, self.host(name))

    def wait_ready(self, name: str, seconds: float = 60) -> None:
        """Wait until the host's services answer, e.g. after a reboot."""
        from opsplay.lab.readiness import greets, until, wait_until_ready

        host = self.host(name)
        if self.kind == "nspawn":
            wait_until_ready(host, seconds)
        else:
            import time

            until(time.monotonic() + seconds, host, lambda: greets(host.address, host.port))


def save(lab: Lab) -> None:
    record = asdict(lab)
    (lab.home / RECORD).write_text(json.dumps(record, default=str, indent=1))
    (lab.home / RECORD).chmod(0o600)


def load(home: Path) -> Lab:
    record = json.loads((home / RECORD).read_text())
    for key in ("home", "dir", "inventory_path"):
        record[key] = Path(record[key])
    for row in record["hosts"]:
        row.update(key=Path(row["key"]), home=Path(row["home"]))
    record["hosts"] = tuple(LabHost(**row) for row in record["hosts"])
    record["notes"] = tuple(record["notes"])
    return Lab(**record)


def home_of(folder: Path) -> Path | None:
    """The home of the lab that was started with this folder; None when there is none, or none any more."""
    try:
        home = Path((folder / POINTER).read_text().strip())
    except OSError:
        return None
    return home if home.is_dir() else None


def open_lab(folder: Path) -> Lab:
    """The running lab of a folder, or an error that says how to start one."""
    home = home_of(folder)
    if home is not None and not os.access(home, os.R_OK):
        raise OpsError(
            "lab-not-yours",
            f"the lab of {folder} was started by another user, who alone may look at it and change it",
            remedy="As root: sudo opsplay lab status\nPlaybooks run on it without: opsplay run -i inventories/lab ...",
            fault=Fault.USAGE,
        )
    if home is None or not (home / RECORD).exists():
        raise OpsError(
            "lab-not-up",
            f"no lab is up for {folder}",
            remedy="Start one: opsplay lab up",
            fault=Fault.USAGE,
        )
    return load(home)
