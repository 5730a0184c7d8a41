"""Owns the verbs `up`, `down` and `status`: what a lab's folder stands for, from nothing to nothing."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.faults import faults_of
from opsplay.lab.hosts import host_names
from opsplay.lab.inventory import check_ours
from opsplay.lab.lab import POINTER, RECORD, Lab, home_of, load, open_lab
from opsplay.lab.ledger import Ledger, labs_found, labs_home
from opsplay.lab.needs import Say
from opsplay.lab.network import bridge_name
from opsplay.lab.readiness import greets
from opsplay.lab.real import Request, start_real_lab
from opsplay.lab.removal import remove_lab


def default_dir() -> Path:
    return Path(os.environ.get("OPSPLAY_LAB_DIR") or ".opsplay/lab").absolute()


def up(
    dir: Path | str | None = None,
    hosts: int | Sequence[str] | None = None,
    inventory: Path | str | None = None,
    *,
    reduced: bool | None = None,
    root_size: str = "",
    say: Say = lambda line: None,
) -> Lab:
    """Start a lab and return when every host is ready; a lab that is up already with these hosts is returned as it is.

    Without an inventory path it is written to `<dir>/inventory` when `dir` is given, else to `inventories/lab`.
    """
    folder = Path(dir).absolute() if dir else default_dir()
    where = (
        Path(inventory).absolute()
        if inventory
        else (folder / "inventory" if dir else Path("inventories/lab").absolute())
    )
    asked = Request(folder, where, host_names(hosts), root_size)
    if running := already_up(asked, hosts is not None, say):
        return running
    check_ours(asked.inventory)
    lab_id, home, ledger = new_home(asked)
    small = os.geteuid() != 0 if reduced is None else reduced
    try:
        lab = start(small, lab_id, home, asked, ledger, say)
        give_to_sudo_user(asked)
        return lab
    except BaseException:
        with contextlib.suppress(OpsError):
            remove_lab(home)
        raise


def start(small: bool, lab_id: str, home: Path, asked: Request, ledger: Ledger, say: Say) -> Lab:
    if not small:
        return start_real_lab(lab_id, home, asked, ledger, say)
    from opsplay.lab.reduced import start_reduced_lab

    return start_reduced_lab(lab_id, home, asked, ledger, say)


def give_to_sudo_user(asked: Request) -> None:
    """Who started the lab with sudo may run playbooks on it without: key, known_hosts and inventory become theirs."""
    user, group = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() != 0 or not (user.isdigit() and group.isdigit()):
        return
    for top in (asked.dir, asked.inventory):
        for path in (top, *top.rglob("*")):
            os.chown(path, int(user), int(group), follow_symlinks=False)
    if asked.dir.parent.name == ".opsplay":
        os.chown(asked.dir.parent, int(user), int(group))


def already_up(asked: Request, named: bool, say: Say) -> Lab | None:
    """The lab of this folder when it is up with the hosts asked for; what a crashed `up` left is removed."""
    home = home_of(asked.dir)
    if home is None:
        return None
    if not (home / RECORD).exists() or not is_alive(lab := load(home)):
        say("removing what an interrupted lab left")
        remove_lab(home)
        return None
    names = tuple(host.name for host in lab.hosts)
    if named and names != asked.names:
        raise OpsError(
            "lab-already-up",
            f"a lab is up for {asked.dir} with other hosts: {', '.join(names)}",
            remedy="Take it down first: opsplay lab down\nOr start a second one: opsplay lab up --dir <folder>",
            fault=Fault.USAGE,
        )
    say("the lab is up already")
    return lab


def is_alive(lab: Lab) -> bool:
    """Whether it still stands; after a reboot of this machine its bridge and its servers are gone, its record is not."""
    if lab.kind == "nspawn":
        return Path("/sys/class/net", bridge_name(lab.id)).exists()
    return any(greets(host.address, host.port) or faults_of(host) for host in lab.hosts)


def new_home(asked: Request) -> tuple[str, Path, Ledger]:
    """A home with a fresh id; the folder points to it before anything is made, so that `down` finds it."""
    labs_home().mkdir(parents=True, exist_ok=True)
    lab_id = new_id()
    while (home := labs_home() / lab_id).exists():
        lab_id = new_id()
    ledger = Ledger.open(home)
    ledger.note("folder", str(asked.dir))
    ledger.note("inventory", str(asked.inventory))
    asked.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (asked.dir / POINTER).write_text(f"{home}\n")
    return lab_id, home, ledger


def new_id() -> str:
    """Six characters, as names of network links are short; a letter first, so that YAML never reads a number."""
    return secrets.choice("abcdef") + secrets.token_hex(3)[:5]


def down(lab: Lab | Path | str | None = None, *, all: bool = False) -> list[str]:
    """Take away one lab (a `Lab`, or the folder it was started with), or all of this user; returns their ids."""
    homes = labs_found() if all else [home for home in [which_home(lab)] if home]
    for home in homes:
        remove_lab(home)
    return [home.name for home in homes]


def which_home(lab: Lab | Path | str | None) -> Path | None:
    if isinstance(lab, Lab):
        return lab.home if lab.home.is_dir() else None
    return home_of(Path(lab).absolute() if lab else default_dir())


def status(dir: Path | str | None = None) -> Lab:
    """The running lab of a folder; an error says that there is none and how to start it."""
    folder = Path(dir).absolute() if dir else default_dir()
    lab = open_lab(folder)
    if not is_alive(lab):
        raise OpsError(
            "lab-not-up",
            f"the lab of {folder} does not run any more; was this machine restarted?",
            remedy="Start it anew: opsplay lab up",
            fault=Fault.USAGE,
        )
    return lab
