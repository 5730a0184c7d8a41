"""Owns taking a lab away: everything its ledger names, whatever state a crash left it in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab import cgroups, network
from opsplay.lab.inventory import remove_inventory
from opsplay.lab.kernel_limits import restore_limit
from opsplay.lab.ledger import Ledger
from opsplay.lab.nspawn import forget_machine, stop_host


def remove_lab(home: Path) -> None:
    """Stop the hosts, then undo what was made, newest first; the ledger itself goes last."""
    ledger = Ledger(home / "ledger.jsonl")
    stop_everything(home, ledger)
    steps: tuple[tuple[str, Callable[[list[str]], None]], ...] = (
        ("mount", unmount),
        ("link", delete_links),
        ("netns", delete_namespaces),
        ("cgroup", remove_groups),
        ("machine", forget_machines),
        ("inventory", remove_inventories),
        ("folder", remove_folders),
    )
    for kind, undo in steps:
        undo(ledger.made(kind))
    if ledger.made("machine"):
        restore_limit()
    check_nothing_left(home, ledger)
    remove_tree(home)


def stop_everything(home: Path, ledger: Ledger) -> None:
    groups = ledger.made("cgroup")
    hosts = home / "hosts"
    if groups:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda group: stop_group(hosts, group), groups))
    if ledger.made("sshd") or ledger.made("server"):
        from opsplay.lab.reduced_removal import stop_servers

        stop_servers(home, ledger)


def stop_group(hosts: Path, group: str) -> None:
    """A host is stopped with care, a cable is simply killed."""
    home = hosts / Path(group).name
    if not home.is_dir():
        cgroups.kill(cgroups.processes_in(group))
    stop_host(home, group)


def mounted() -> set[str]:
    """Mount points of this machine; the kernel writes blanks in them as octal."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return {line.split()[1].encode().decode("unicode_escape") for line in lines}


def unmount(paths: list[str]) -> None:
    for path in paths:
        if path in mounted() and subprocess.run(["umount", path], capture_output=True, timeout=60).returncode:
            subprocess.run(["umount", "-l", path], capture_output=True, timeout=60, check=False)


def delete_links(names: list[str]) -> None:
    present = [name for name in names if Path("/sys/class/net", name).exists()]
    if present:
        network.ip("-force", lines=[f"link delete {name}" for name in present], check=False)


def delete_namespaces(names: list[str]) -> None:
    present = [name for name in names if Path("/run/netns", name).exists()]
    if present:
        network.ip("-force", lines=[f"netns delete {name}" for name in present], check=False)


def remove_groups(names: list[str]) -> None:
    for name in names:
        cgroups.remove_group(name)
    for parent in {name.split("/")[0] for name in names}:
        cgroups.remove_group(parent)


def forget_machines(names: list[str]) -> None:
    for name in names:
        forget_machine(name)


def remove_inventories(names: list[str]) -> None:
    for name in names:
        remove_inventory(Path(name))


def remove_folders(names: list[str]) -> None:
    """The folder with keys and client files: ours are removed, and the folders when nothing else is in them."""
    for name in names:
        folder = Path(name)
        shutil.rmtree(folder / "keys", ignore_errors=True)
        for file in ("known_hosts", "ssh_config", "lab-home"):
            (folder / file).unlink(missing_ok=True)
        for empty in (folder, folder.parent):
            try:
                empty.rmdir()
            except OSError:
                break


def check_nothing_left(home: Path, ledger: Ledger) -> None:
    """Say what could not be removed, and keep the ledger, so that the next `down` tries it again."""
    left = [f"mount {path}" for path in ledger.made("mount") if path in mounted()]
    left += [f"link {name}" for name in ledger.made("link") if Path("/sys/class/net", name).exists()]
    left += [f"namespace {name}" for name in ledger.made("netns") if Path("/run/netns", name).exists()]
    left += [f"group {name}" for name in ledger.made("cgroup") if any(p.exists() for p in cgroups.group_paths(name))]
    if left:
        raise OpsError(
            "lab-leftovers",
            f"could not be removed: {', '.join(left)}",
            remedy=f"Try again: opsplay lab down --all\nWhat the lab has made stands in {home / 'ledger.jsonl'}",
            fault=Fault.HOST,
        )


def remove_tree(home: Path) -> None:
    """Never across a mount: a file system that is still there would lose its files."""
    inside = [path for path in mounted() if path.startswith(f"{home}/")]
    if not inside:
        shutil.rmtree(home, ignore_errors=True)
