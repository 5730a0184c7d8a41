"""Owns the one setting of the machine that many hosts need: how many inotify instances a user may have.

Debian's limit is 128 for all guests together, as their root is this machine's, and each systemd takes several: from
about a dozen hosts on, guests die at boot without a word. The old value comes back when the last lab goes.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from opsplay.lab.needs import Say

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
BEFORE = Path("/run/opsplay-lab-inotify")
WANTED = 8192
FEW_HOSTS = 4


def raise_limit(hosts: int, say: Say) -> None:
    """Before the hosts start; a small lab on an untouched machine leaves it untouched."""
    now = int(LIMIT.read_text())
    if now >= WANTED or (hosts <= FEW_HOSTS and not other_labs()):
        return
    if not BEFORE.exists():
        BEFORE.write_text(f"{now}\n")
    say(f"raising fs.inotify.max_user_instances from {now} to {WANTED} while labs are up")
    LIMIT.write_text(f"{WANTED}\n")


def restore_limit() -> None:
    """After the last lab of this machine is gone."""
    if not BEFORE.exists() or other_labs():
        return
    with contextlib.suppress(OSError):
        LIMIT.write_text(BEFORE.read_text())
        BEFORE.unlink()


def other_labs() -> list[str]:
    """The bridges of labs that stand now, whoever started them."""
    return [link.name for link in Path("/sys/class/net").glob("opl*")]
