"""Owns the root file system of a lab's hosts: layers built once, cached, and keyed by the hash of their recipe."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsplay.errors import Fault, OpsError
from opsplay.lab.apt_sources import RELEASE, debian_sources
from opsplay.lab.needs import Say, last_lines

SEED = Path(__file__).with_name("seed")
SEED_SCRIPT = Path(__file__).with_name("seed_layer.sh")
ROLES = ("web", "db", "cache", "plain")
# What a weekly maintenance meets on a server; tcc compiles the clock fault, gpg signs the local repository.
PACKAGES = (  # noqa: SIM905
    "systemd systemd-sysv dbus libpam-systemd openssh-server python3 python3-apt sudo logrotate cron iproute2 "
    "iputils-ping procps psmisc ca-certificates less nano nftables apt-utils acl rsync xz-utils bzip2 sqlite3 "
    "gpg gpg-agent tcc postgresql-15 postgresql-client-15 redis-server"
).split()
OPTIONS = [
    "--variant=minbase",
    "--mode=root",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    '--aptopt=Acquire::Languages "none"',
]


def cache_root() -> Path:
    return Path(os.environ.get("OPSPLAY_LAB_CACHE") or "/var/cache/opsplay/lab")


def image_layers(roles: set[str], say: Say) -> dict[str, list[Path]]:
    """For each role its layers, uppermost first, as overlayfs takes them; builds what the cache lacks."""
    cache = cache_root()
    cache.mkdir(parents=True, mode=0o700, exist_ok=True)
    with locked(cache / "lock"):
        remove_unfinished(cache)
        debian = debian_layer(cache, say)
        common = seed_layer(cache, "common", [debian], say)
        layers = {role: [seed_layer(cache, role, [common, debian], say), common, debian] for role in sorted(roles)}
        for used in {layer for stack in layers.values() for layer in stack}:
            (cache / f"{used.name}.used").touch()
        remove_unused(cache)
        return layers


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Held while the cache or the list of labs changes; the kernel drops it when its holder dies."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_unfinished(cache: Path) -> None:
    for left in cache.glob("*.building"):
        shutil.rmtree(left, ignore_errors=True)


def remove_unused(cache: Path, days: int = 14) -> None:
    """Layers of recipes that nobody has used for long, unless a lab still stands on them."""
    mounts = Path("/proc/self/mounts").read_text()
    for mark in cache.glob("*.used"):
        layer = mark.with_suffix("")
        if time.time() - mark.stat().st_mtime > days * 86400 and str(layer) not in mounts:
            shutil.rmtree(layer, ignore_errors=True)
            mark.unlink()


def debian_layer(cache: Path, say: Say) -> Path:
    """Debian as mmdebstrap lays it, before anything of ours."""
    key = digest([RELEASE, *OPTIONS, *PACKAGES])
    layer = cache / f"debian-{key}"
    if layer.is_dir():
        return layer
    say("building the hosts' image with mmdebstrap (once; one to two minutes)")
    building = layer.with_name(layer.name + ".building")
    command = ["mmdebstrap", *OPTIONS, f"--include={','.join(PACKAGES)}", RELEASE, str(building), *debian_sources()]
    build(command, cache / "debian.log")
    building.rename(layer)
    return layer


def seed_layer(cache: Path, name: str, lower: list[Path], say: Say) -> Path:
    """A layer with what `seed/<name>.py` puts onto the layers below; run inside them with the image's own python3."""
    key = digest([*(layer.name for layer in lower), *seed_texts()])
    layer = cache / f"{name}-{key}"
    if layer.is_dir():
        return layer
    say(f"seeding the image's {name} layer")
    building = layer.with_name(layer.name + ".building")
    for part in ("upper", "work", "root"):
        (building / part).mkdir(parents=True)
    below = ":".join(str(path) for path in lower)
    build(["bash", str(SEED_SCRIPT), below, str(building), str(SEED), f"{name}.py"], cache / f"{name}.log")
    (building / "upper").rename(layer)
    shutil.rmtree(building, ignore_errors=True)
    return layer


def build(command: list[str], log: Path) -> None:
    with log.open("w") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=1800, check=False)
    if done.returncode == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    raise OpsError(
        "lab-image-build-failed",
        f"{Path(command[0]).name} ended with {done.returncode}; the end of {log}:\n{last_lines(text)}",
        remedy="Check that apt-get update works on this machine and that the disk has 1 GB free, "
        "then: opsplay lab up\nOr start the reduced lab: opsplay lab up --reduced",
        fault=Fault.HOST,
    )


def seed_texts() -> list[str]:
    files = sorted(path for path in SEED.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return [f"{path.relative_to(SEED)}\n{path.read_text()}" for path in [*files]] + [SEED_SCRIPT.read_text()]


def digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
