"""Finding Debian 12 in whatever form this machine's apt sources have."""

from pathlib import Path

import pytest

from opsplay.errors import OpsError
from opsplay.lab.apt_sources import debian_sources

STANZAS = """\
# a comment
Types: deb deb-src
URIs: http://mirror.invalid/debian
Suites: bookworm bookworm-updates sid
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Enabled: no
Types: deb
URIs: http://off.invalid/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://other.invalid/tool
Suites: stable
Components: main
"""
LINES = """\
deb [arch=amd64 signed-by=/k.gpg] http://one.invalid/debian bookworm main non-free  # remark
deb-src http://one.invalid/debian bookworm main
#deb http://off.invalid/debian bookworm main
deb http://one.invalid/security bookworm-security main
deb http://one.invalid/debian bookworm contrib
"""


def test_stanzas_of_debian_12_main_become_one_line_entries(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(STANZAS)
    signed = "[signed-by=/usr/share/keyrings/debian.gpg]"
    assert debian_sources(tmp_path) == [
        f"deb {signed} http://mirror.invalid/debian bookworm main",
        f"deb {signed} http://mirror.invalid/debian bookworm-updates main",
    ]


def test_one_line_entries_are_read_with_their_key(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(LINES)
    assert debian_sources(tmp_path) == [
        "deb [signed-by=/k.gpg] http://one.invalid/debian bookworm main",
        "deb http://one.invalid/security bookworm-security main",
    ]


def test_a_file_of_ones_own_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.list"
    own.write_text("deb http://own.invalid/debian bookworm main\n")
    monkeypatch.setenv("OPSPLAY_LAB_SOURCES", str(own))
    assert debian_sources() == ["deb http://own.invalid/debian bookworm main"]


def test_another_system_is_told_what_to_name(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://one.invalid/ubuntu noble main\n")
    with pytest.raises(OpsError) as raised:
        debian_sources(tmp_path)
    assert raised.value.code == "lab-no-debian-source"
    assert "OPSPLAY_LAB_SOURCES" in raised.value.remedy
