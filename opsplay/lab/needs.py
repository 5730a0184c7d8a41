"""Owns what the machine must have before a lab can stand: programs, and the Debian packages that bring them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from opsplay.errors import Fault, OpsError

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "chroot": "coreutils",
    "setsid": "util-linux",
}

Say = Callable[[str], None]


def missing_packages(programs: dict[str, str] | None = None) -> list[str]:
    """The Debian packages whose programs are not on this machine, each named once."""
    wanted = PROGRAMS if programs is None else programs
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return sorted({package for program, package in wanted.items() if not shutil.which(program, path=path)})


def ensure_packages(say: Say) -> None:
    """Install with apt-get what is missing, saying so; anything that apt-get cannot install is an error."""
    missing = missing_packages()
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise needs_packages(missing, "there is no apt-get here to install them with")
    say(f"installing with apt-get: {' '.join(missing)}")
    log = apt_install(missing)
    if missing_packages():
        raise needs_packages(missing_packages(), "apt-get could not install them:\n" + last_lines(log))


def apt_install(packages: list[str]) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = ""
    for command in (["apt-get", "-q", "update"], ["apt-get", "-qy", "--no-install-recommends", "install", *packages]):
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=900, check=False)
        log += done.stdout + done.stderr
    return log


def needs_packages(packages: list[str], why: str) -> OpsError:
    return OpsError(
        "lab-needs-packages",
        f"the lab needs the Debian packages {', '.join(packages)}: {why}",
        remedy=f"Install them: apt-get install {' '.join(packages)}\nOr without: opsplay lab up --reduced",
        fault=Fault.USAGE,
    )


def last_lines(text: str, count: int = 15) -> str:
    """The end of a log, which is where the cause stands."""
    return "\n".join(text.rstrip().splitlines()[-count:])
