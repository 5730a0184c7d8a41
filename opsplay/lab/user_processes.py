"""Owns finding a reduced lab's processes: without control groups, by folder, command line, environment and port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def lab_processes(home: Path, ports: set[int]) -> set[int]:
    """Every process of this user that belongs to the lab, with all their descendants."""
    marks = (str(home), f"OPSPLAY_LAB_ID={home.name}")
    sockets = sockets_of(ports)
    mine = list(own_processes())
    found = {pid for pid in mine if belongs(pid, home, marks) or sockets & open_sockets(pid)}
    parents = {pid: parent_of(pid) for pid in mine}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {os.getpid()}


def own_processes() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == os.geteuid():
                    yield int(entry.name)
            except OSError:
                continue


def belongs(pid: int, home: Path, marks: tuple[str, str]) -> bool:
    """By command line (sshd), by working folder (PostgreSQL, Redis), or by environment (what sessions started)."""
    folder = Path("/proc", str(pid))
    try:
        if pid == os.getpid() or is_ancestor(pid):
            return False
        if marks[0].encode() + b"/" in (folder / "cmdline").read_bytes():
            return True
        if str((folder / "cwd").readlink()).startswith(f"{home}/"):
            return True
        return marks[1].encode() in (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def is_ancestor(pid: int) -> bool:
    """Whoever runs `down` from a folder of the lab must not be taken for a part of it."""
    at = os.getpid()
    while at > 1:
        at = parent_of(at)
        if at == pid:
            return True
    return False


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def sockets_of(ports: set[int]) -> set[str]:
    """The TCP sockets whose local end is one of the ports: the only mark of a session whose listener is gone."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) in ports:
            found.add(f"socket:[{fields[9]}]")
    return found - {"socket:[0]"}


def open_sockets(pid: int) -> set[str]:
    try:
        return {os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")}
    except OSError:
        return set()
