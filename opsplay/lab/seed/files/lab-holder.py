#!/usr/bin/python3
"""Lays old files, links, sockets and a mount into /tmp and /var/tmp on first boot, and holds some of them open.

Anew: rm /var/lib/opsplay-lab/temp-seeded && systemctl restart lab-holder
"""

import fcntl
import mmap
import os
import signal
import socket
import subprocess
import time

DAY = 86400
STAMP = "/var/lib/opsplay-lab/temp-seeded"
NAMES = (
    "report-1.tmp",
    "report-2.tmp",
    "upload.part",
    "core.4711",
    ".hidden-old",
    "-rf",
    "two words.tmp",
    "line\nbreak.tmp",
    "\u00fcml\u00e4ut.tmp",
)


def make(path, days, text="left over\n"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    old(path, days)


def old(path, days):
    moment = time.time() - days * DAY
    os.utime(path, (moment, moment), follow_symlinks=False)


def seed(folder, days):
    """Everything that a cleaner may and may not take, in one folder."""
    for name in NAMES:
        make(os.path.join(folder, name), days)
    make(folder + "/tree/a/b/deep.tmp", days)
    make(folder + "/tree/fresh.tmp", 0)
    make(folder + "/old-tree/a/b/c.tmp", days)
    os.makedirs(folder + "/old-empty", exist_ok=True)
    for path in ("/old-tree/a/b", "/old-tree/a", "/old-tree", "/old-empty"):
        old(folder + path, days)
    make(folder + "/fresh.tmp", 0)
    make(folder + "/held-open.tmp", days)
    make(folder + "/held-locked.tmp", days)
    make(folder + "/held-mapped.tmp", days, "m" * 4096)
    link("/srv/precious/ledger.txt", folder + "/link-to-ledger", days)
    link("/srv/precious", folder + "/link-to-precious", days)
    link("/nowhere", folder + "/dangling-link", days)
    os.link("/srv/precious/ledger.txt", folder + "/hardlink-to-ledger")
    os.mkfifo(folder + "/old.fifo")
    old(folder + "/old.fifo", days)


def link(target, path, days):
    os.symlink(target, path)
    old(path, days)


def mount(folder):
    """Another file system below /var/tmp: a cleaner must not enter it."""
    if not os.path.ismount(folder):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "lab-other", folder], check=True)
    make(folder + "/not-yours.tmp", 90)
    old(folder, 90)


def seed_once():
    if os.path.exists(STAMP):
        return
    for folder, days in (("/tmp", 20), ("/var/tmp", 45)):
        subprocess.run(["rm", "-rf", "--one-file-system"] + seeded(folder), stderr=subprocess.DEVNULL)
        seed(folder, days)
    os.makedirs(os.path.dirname(STAMP), exist_ok=True)
    open(STAMP, "w").close()


def seeded(folder):
    more = (
        "tree",
        "old-tree",
        "old-empty",
        "fresh.tmp",
        "held-open.tmp",
        "held-locked.tmp",
        "held-mapped.tmp",
        "link-to-ledger",
        "link-to-precious",
        "dangling-link",
        "hardlink-to-ledger",
        "old.fifo",
        "held.sock",
    )
    return [os.path.join(folder, name) for name in NAMES + more]


def listen(path, days):
    """A listening socket whose file looks abandoned."""
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    old(path, days)
    return listener


def hold(folder, days):
    held = [listen(folder + "/held.sock", days)]
    if os.path.exists(folder + "/held-open.tmp"):
        held.append(open(folder + "/held-open.tmp", "r"))
        locked = open(folder + "/held-locked.tmp", "r")
        fcntl.flock(locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mapped = os.open(folder + "/held-mapped.tmp", os.O_RDONLY)
        held += [locked, mmap.mmap(mapped, 0, prot=mmap.PROT_READ)]
        os.close(mapped)
    return held


def main():
    seed_once()
    mount("/var/tmp/other-filesystem")
    held = [hold("/tmp", 20), hold("/var/tmp", 45)]
    signal.sigwait({signal.SIGTERM})
    del held


main()
