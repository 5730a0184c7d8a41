"""Owns starting a lab of real hosts: network, keys and guests, each noted in the ledger before it is made."""

from __future__ import annotations

import os
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from opsplay.lab import network
from opsplay.lab.hosts import LabHost, role_of
from opsplay.lab.image import image_layers, locked
from opsplay.lab.inventory import connection_variables, write_inventory
from opsplay.lab.kernel_limits import raise_limit
from opsplay.lab.keys import host_key, make_key, write_client_files
from opsplay.lab.lab import Lab, save
from opsplay.lab.ledger import Ledger, labs_home
from opsplay.lab.needs import Say, ensure_packages
from opsplay.lab.nspawn import Blueprint, start_host
from opsplay.lab.readiness import wait_until_ready
from opsplay.lab.recreation import save_plan

READY_WITHIN = 60


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for: the folder, the inventory, the hosts, and perhaps a small root file system."""

    dir: Path
    inventory: Path
    names: tuple[str, ...]
    root_size: str = ""


def start_real_lab(lab_id: str, home: Path, asked: Request, ledger: Ledger, say: Say) -> Lab:
    ensure_packages(say)
    layers = image_layers({role_of(name) for name in asked.names}, say)
    raise_limit(len(asked.names), say)
    with locked(labs_home() / "lock"):
        subnet = network.free_subnet()
        network.make_bridge(lab_id, subnet, ledger)
    hosts = lab_hosts(asked, home, subnet)
    password = secrets.token_hex(6)
    plans = blueprints(lab_id, hosts, asked, layers, password)
    for number, plan in enumerate(plans):
        make_key(plan.host_key, plan.name)
        network.make_link(lab_id, number, plan.name, subnet, ledger)
        start_host(plan, ledger)
        save_plan(plan)
    lab = Lab(
        lab_id, "nspawn", home, asked.dir, asked.inventory, tuple(hosts), str(subnet[1]), password, services_of(hosts)
    )
    write_client_files(asked.dir, hosts)
    variables = connection_variables(hosts[0].key, lab.known_hosts, "deploy")
    write_inventory(asked.inventory, hosts, {**variables, "lab_id": lab_id})
    with ThreadPoolExecutor(len(hosts)) as pool:
        list(pool.map(lambda host: wait_until_ready(host, READY_WITHIN), hosts))
    save(lab)
    return lab


def lab_hosts(asked: Request, home: Path, subnet: IPv4Network) -> list[LabHost]:
    key = make_key(asked.dir / "keys" / "id_ed25519", "opsplay-lab")
    return [
        LabHost(name, role_of(name), str(subnet[network.FIRST_HOST + number]), 22, "deploy", key, home / "hosts" / name)
        for number, name in enumerate(asked.names)
    ]


def blueprints(
    lab_id: str, hosts: list[LabHost], asked: Request, layers: dict[str, list[Path]], password: str
) -> list[Blueprint]:
    names = "".join(f"{host.address} {host.name}\n" for host in hosts)
    hashed = password_hash(layers[hosts[0].role], password)
    return [
        Blueprint(
            lab_id,
            host.name,
            host.home,
            tuple(layers[host.role]),
            host_key(asked.dir, host.name),
            host.key,
            hashed,
            names,
            asked.root_size,
        )
        for host in hosts
    ]


def password_hash(layers: list[Path], password: str) -> str:
    """Made with the image's own openssl: this machine need not have one."""
    command = ["chroot", str(layers[-1]), "openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(command, input=password, text=True, capture_output=True, check=True, timeout=30, env=bare())
    return done.stdout.strip()


def bare() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": os.environ.get("TERM", "dumb")}


def services_of(hosts: list[LabHost]) -> dict[str, object]:
    services: dict[str, object] = {}
    for host in hosts:
        if host.role == "db":
            services[host.name] = {
                "postgresql": {"port": 5432, "database": "app", "user": "app", "password": "app-lab"}
            }
        if host.role == "cache":
            services[host.name] = {"redis": {"port": 6379, "listens": "127.0.0.1"}}
    return services
