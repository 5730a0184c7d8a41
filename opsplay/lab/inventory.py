"""Owns the inventory that a lab writes, so that playbooks find its hosts at once."""

from __future__ import annotations

import shutil
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.hosts import LabHost

MARK = "# Written by opsplay lab up; removed by opsplay lab down."


def write_inventory(
    folder: Path,
    hosts: list[LabHost],
    variables: dict[str, object],
    more: dict[str, dict[str, object]] | None = None,
) -> None:
    """hosts.yml with the groups web, db, cache and plain, and group_vars/all.yml with how to reach them."""
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    groups: dict[str, dict[str, object]] = {}
    for host in hosts:
        entry: dict[str, object] = {"ansible_host": host.address}
        if host.port != 22:
            entry["ansible_port"] = host.port
        entry.update((more or {}).get(host.name, {}))
        groups.setdefault(host.role, {"hosts": {}})["hosts"][host.name] = entry  # type: ignore[index]
    tree = {"all": {"children": groups}}
    (folder / "hosts.yml").write_text(f"{MARK}\n{yaml.safe_dump(tree, sort_keys=False)}")
    (folder / "group_vars").mkdir(exist_ok=True)
    (folder / "group_vars" / "all.yml").write_text(f"{MARK}\n{yaml.safe_dump(variables, sort_keys=False)}")


def check_ours(folder: Path) -> None:
    """Refuse to write over, and later remove, an inventory that somebody else wrote."""
    theirs = folder / "hosts.yml"
    foreign = theirs.read_text(errors="replace").partition("\n")[0] != MARK if theirs.exists() else False
    if foreign or (folder.is_dir() and not theirs.exists() and any(folder.iterdir())):
        raise OpsError(
            "lab-inventory-not-ours",
            f"{folder} holds an inventory that no lab wrote; it stays as it is",
            remedy="Name another folder: opsplay lab up --inventory inventories/rehearsal",
            fault=Fault.USAGE,
        )


def remove_inventory(folder: Path) -> None:
    hosts = folder / "hosts.yml"
    if hosts.exists() and hosts.read_text(errors="replace").startswith(MARK):
        shutil.rmtree(folder, ignore_errors=True)


def connection_variables(key: Path, known_hosts: Path, user: str) -> dict[str, object]:
    """As Ansible documents them; the host keys of a lab are known, so they are checked."""
    options = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    return {
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": options,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become_method": "sudo",
    }
