"""The root that the whole list runs in: Debian 12 with what the targets expect to be installed, made once by debootstrap."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.conformance.isolate import PROJECT, Root
from tests.conformance.source import cache

PACKAGES = (
    "acl", "at", "attr", "bzip2", "cron", "dbus", "e2fsprogs", "file", "git", "gnupg", "iproute2", "libfaketime", "libuser", "locales",
    "openssh-server", "procps", "python3", "python3-pip", "python3-venv", "rsync", "sudo", "unzip", "xz-utils", "zip",
)  # fmt: skip
WHEELS = ("pexpect==4.8.0", "ptyprocess", "passlib", "tomli", "PyYAML", "tomli-w", "setuptools", "wheel")
ANOTHER = "pexpect==4.9.0"  # another target's pin
PYTHON = "/opt/venv/bin/python3"


def debian_root() -> Root:
    """Raises CalledProcessError where it cannot be made."""
    folder = cache() / "debian-12"
    wheels = str(cache() / "wheels")
    if not (folder / "opt" / "ready").exists():
        make(folder, Path(wheels))
    return Root(str(folder), PYTHON, wheels)


def make(folder: Path, wheels: Path) -> None:
    done(["debootstrap", f"--include={','.join(PACKAGES)}", "bookworm", str(folder)])
    (folder / "etc" / "locale.gen").write_text("en_US.UTF-8 UTF-8\n")
    done(["chroot", str(folder), "locale-gen"])
    # No init system is told of: none runs in there, and targets about services end early, as they do in a container.
    (folder / "usr" / "sbin" / "init").unlink(missing_ok=True)
    done(["chroot", str(folder), "python3", "-m", "venv", "/opt/venv"])
    needed = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    site = folder / "opt" / "venv" / "lib" / "python3.11" / "site-packages"
    pip("install", "--target", str(site), *needed, "jmespath", "ansible-core==2.19.14")
    pip("download", "-d", str(wheels), *WHEELS)
    pip("download", "-d", str(wheels), ANOTHER)
    (folder / "opt" / "ready").touch()


def pip(command: str, *words: str) -> None:
    """For the root's Python, by ours: the root needs no way to a registry."""
    binary = ["--python-version", "3.11", "--implementation", "cp", "--only-binary", ":all:"]
    done([sys.executable, "-m", "pip", command, "-q", *binary, *words])


def done(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=900)
