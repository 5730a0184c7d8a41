"""The source package of ansible-core: fetched once through pip, checked by its hash, unpacked into the cache."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
PINNED = re.search(r"ansible-core==(\S+) --hash=sha256:([0-9a-f]{64})", (HERE / "requirements.txt").read_text())


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("OPSPLAY_CONFORMANCE_CACHE") or Path(base) / "opsplay" / "conformance")


def checkout() -> Path:
    """The unpacked package. Raises RuntimeError where it cannot be fetched or is not the pinned one."""
    assert PINNED is not None
    version, digest = PINNED.groups()
    folder = cache() / f"ansible_core-{version}"
    if (folder / "test" / "integration" / "targets").is_dir():
        return folder
    archive = cache() / f"ansible_core-{version}.tar.gz"
    if not archive.exists():
        download(archive.parent)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
        archive.unlink()
        raise RuntimeError(f"{archive.name} is not the pinned package: its hash differs. Run it again.")
    with tarfile.open(archive) as package:
        package.extractall(archive.parent, filter="data")
    return folder


def download(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "--require-hashes",
        "-r", str(HERE / "requirements.txt"), "-d", str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"ansible-core cannot be fetched by pip: {done.stderr.strip()[-600:]}")
