"""Distributions that the lab cannot be: their release files in a folder, and what the facts make of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from opsplay.remote.facts import distribution
from opsplay.remote.system import System


class Rooted(System):  # type: ignore[misc]
    """A System whose / is a folder."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def read(self, path: str, limit: int | None = None) -> Any:
        return super().read(str(self.root) + path, limit)

    def stat(self, path: str) -> Any:
        return super().stat(str(self.root) + path)

    def which(self, name: str) -> str | None:
        return next((f"/{place}/{name}" for place in ("usr/bin", "sbin") if (self.root / place / name).exists()), None)


CASES: list[tuple[dict[str, str], dict[str, str], str]] = [
    ({"/etc/os-release": 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\n'
                         "VERSION_CODENAME=bookworm\n", "/etc/debian_version": "12.5\n", "/usr/bin/apt-get": ""},
     {"distribution": "Debian", "distribution_version": "12.5", "distribution_major_version": "12",
      "distribution_minor_version": "5", "distribution_release": "bookworm", "os_family": "Debian"}, "apt"),
    ({"/etc/os-release": 'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux trixie/sid"\n',
      "/etc/debian_version": "trixie/sid\n", "/usr/bin/apt-get": ""},
     {"distribution": "Debian", "distribution_release": "trixie", "os_family": "Debian"}, "apt"),
    ({"/etc/os-release": 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nVERSION="22.04.3 LTS (Jammy '
                         'Jellyfish)"\nVERSION_CODENAME=jammy\n', "/etc/debian_version": "bookworm/sid\n",
      "/usr/bin/apt-get": "", "/usr/bin/dnf": ""},
     {"distribution": "Ubuntu", "distribution_version": "22.04", "distribution_major_version": "22",
      "distribution_release": "jammy", "distribution_file_variety": "Debian", "os_family": "Debian"}, "apt"),
    ({"/etc/os-release": 'NAME="Rocky Linux"\nVERSION="9.3 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'
                         'VERSION_ID="9.3"\n', "/etc/redhat-release": "Rocky Linux release 9.3 (Blue Onyx)\n",
      "/usr/bin/dnf": "", "/usr/bin/yum": ""},
     {"distribution": "Rocky", "distribution_version": "9.3", "distribution_major_version": "9",
      "distribution_release": "Blue Onyx", "distribution_file_path": "/etc/redhat-release",
      "distribution_file_variety": "RedHat", "os_family": "RedHat"}, "dnf"),
    ({"/etc/os-release": 'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nVERSION_ID="7"\n',
      "/etc/redhat-release": "CentOS Linux release 7.9.2009 (Core)\n", "/usr/bin/yum": ""},
     {"distribution": "CentOS", "distribution_version": "7.9", "distribution_major_version": "7",
      "distribution_release": "Core", "os_family": "RedHat"}, "yum"),
    ({"/etc/os-release": 'NAME="Red Hat Enterprise Linux"\nVERSION="9.4 (Plow)"\nID="rhel"\nVERSION_ID="9.4"\n',
      "/etc/redhat-release": "Red Hat Enterprise Linux release 9.4 (Plow)\n", "/usr/bin/dnf": ""},
     {"distribution": "RedHat", "distribution_version": "9.4", "distribution_release": "Plow", "os_family": "RedHat"},
     "dnf"),
    ({"/etc/os-release": 'NAME="Fedora Linux"\nVERSION="41 (Server Edition)"\nID=fedora\nVERSION_ID=41\n',
      "/etc/redhat-release": "Fedora release 41 (Forty One)\n", "/usr/bin/dnf5": "", "/usr/bin/dnf": ""},
     {"distribution": "Fedora", "distribution_version": "41", "os_family": "RedHat"}, "dnf5"),
    ({"/etc/os-release": 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n',
      "/etc/system-release": "Amazon Linux release 2023 (Amazon Linux)\n", "/usr/bin/dnf": ""},
     {"distribution": "Amazon", "distribution_version": "2023", "os_family": "RedHat"}, "dnf"),
    ({"/etc/os-release": 'NAME="openSUSE Leap"\nVERSION="15.5"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\n'
                         'VERSION_ID="15.5"\n', "/usr/bin/zypper": ""},
     {"distribution": "openSUSE Leap", "distribution_version": "15.5", "distribution_release": "5",
      "distribution_major_version": "15", "os_family": "Suse"}, "zypper"),
    ({"/etc/os-release": 'NAME="SLES"\nVERSION="15-SP5"\nVERSION_ID="15.5"\nID="sles"\n', "/usr/bin/zypper": ""},
     {"distribution": "SLES", "distribution_version": "15.5", "distribution_release": "5", "os_family": "Suse"}, "zypper"),
    ({"/etc/os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.19.1\n', "/etc/alpine-release": "3.19.1\n",
      "/sbin/apk": ""},
     {"distribution": "Alpine", "distribution_version": "3.19.1", "distribution_major_version": "3",
      "distribution_release": "NA", "os_family": "Alpine"}, "apk"),
    ({"/etc/os-release": 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n', "/etc/arch-release": "", "/usr/bin/pacman": ""},
     {"distribution": "Archlinux", "os_family": "Archlinux"}, "pacman"),
]


def build(root: Path, files: dict[str, str]) -> Rooted:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.chmod(path, 0o755)
    return Rooted(root)


@pytest.mark.parametrize(("files", "facts", "manager"), CASES, ids=[
    f"{facts['distribution']} {facts.get('distribution_version', '')}" for _, facts, _ in CASES])
def test_distribution(tmp_path: Path, files: dict[str, str], facts: dict[str, str], manager: str) -> None:
    system = build(tmp_path, files)
    found = distribution.collect(system)
    assert {key: found.get(key) for key in facts} == facts
    assert distribution.package_manager(system, found["os_family"]) == manager


@pytest.mark.parametrize(("files", "manager"), [
    ({"/proc/1/comm": "systemd\n", "/usr/bin/systemctl": "", "/run/systemd/system/x": ""}, "systemd"),
    ({"/proc/1/comm": "init\n", "/sbin/openrc": "", "/etc/init.d/x": ""}, "openrc"),
    ({"/proc/1/comm": "init\n", "/etc/init.d/x": ""}, "sysvinit"),
    ({"/proc/1/comm": "runit-init\n"}, "runit"),
    ({"/proc/1/comm": "bash\n"}, "service"),
])
def test_service_manager(tmp_path: Path, files: dict[str, str], manager: str) -> None:
    assert distribution.service_manager(build(tmp_path, files)) == manager
