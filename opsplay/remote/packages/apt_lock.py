"""Who holds apt's and dpkg's locks, and waiting for them. Lock files are only looked at, never removed."""

import os
import re
import time

from opsplay.remote.spec import ModuleFailure

DPKG_LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/cache/apt/archives/lock")
LIST_LOCKS = ("/var/lib/apt/lists/lock",)
REFUSED = re.compile(r"Could not get lock|Unable to (?:acquire the dpkg frontend lock|lock (?:directory|the )|"
                     r"acquire)|dpkg (?:frontend|status database|database)[^\n]* (?:is|was) locked by another process", re.I)
FORBIDDEN = re.compile(r"Could not open lock file [^\n]*Permission denied|are you root\?")
LOCK_LINE = re.compile(r"^\d+: (\w+)\s+\w+\s+(\w+)\s+(-?\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s", re.M)
PAUSE = 0.25


class Holder(object):
    """A process that holds a lock."""

    def __init__(self, pid, path):
        self.pid = pid
        self.path = path
        self.command = _command_of(pid)

    def __str__(self):
        return "process %d (%s) holds %s" % (self.pid, self.command or "its command is not readable", self.path)


def _command_of(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as source:
            words = source.read(4096).decode("utf-8", "replace").replace("\0", " ").strip()
        if words:
            return words
        with open("/proc/%d/comm" % pid) as source:
            return source.read().strip()
    except OSError:
        return ""


def holders(system, paths):
    """Every Holder of a lock on one of the files, by /proc/locks: fcntl, open file description and flock alike."""
    wanted = {}
    for path in paths:
        found = system.stat(path)
        if found is not None:
            wanted[found.st_ino] = (path, found.st_dev)
    try:
        table = system.read_text("/proc/locks")
    except OSError:
        return []
    held = []
    for kind, _, pid, major, minor, inode in LOCK_LINE.findall(table):
        path, device = wanted.get(int(inode), (None, None))
        number = int(pid)
        if path is None or number == os.getpid():
            continue
        same_device = os.makedev(int(major, 16), int(minor, 16)) == device
        if (number > 0 and (same_device or _has_open(number, path))) or (number <= 0 and same_device):
            held.append(Holder(number if number > 0 else _find_open(path), path))
    return held


def _has_open(pid, path):
    """Behind an overlay the device numbers differ; the open file tells."""
    folder = "/proc/%d/fd" % pid
    try:
        return any(_target(folder + "/" + name) == path for name in os.listdir(folder))
    except OSError:
        return False


def _target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _find_open(path):
    """Locks of open file descriptions have no pid in /proc/locks: look for who has the file open."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid() and _has_open(int(name), path):
            return int(name)
    return 0


class Patience(object):
    """The time that is left to wait for locks in this step."""

    def __init__(self, system, seconds):
        self._system = system
        self._limit = max(0, seconds)
        self._until = time.monotonic() + self._limit

    @property
    def left(self):
        return max(0.0, self._until - time.monotonic())

    def wait(self, paths):
        """Return when nobody holds the locks; ModuleFailure that names the holder when the time is over."""
        held = holders(self._system, paths)
        while held:
            if not self.left:
                raise self.failure(held)
            time.sleep(min(PAUSE, self.left))
            held = holders(self._system, paths)

    def failure(self, held, run=None):
        who = "; ".join(sorted(set(str(holder) for holder in held))) or "its holder is gone meanwhile"
        details = {"holders": [{"pid": one.pid, "command": one.command, "lock": one.path} for one in held]}
        if run is not None:
            details.update(rc=run.rc, stdout=run.stdout, stderr=run.stderr)
        return ModuleFailure("Failed to lock apt for exclusive operation: waited %g s (lock_timeout), %s. "
                             "Wait for it, or end it; lock files are never removed by force."
                             % (self._limit, who), **details)

    def run(self, command, paths):
        """Run `command()` under the locks: again and again while apt says that somebody took one in between."""
        while True:
            self.wait(paths)
            run = command()
            said = run.stderr + run.stdout
            if run.rc == 0 or not REFUSED.search(said) or FORBIDDEN.search(said):
                return run  # whoever may not open a lock's file waits for nobody
            if not self.left:
                raise self.failure(holders(self._system, paths), run)
            time.sleep(min(PAUSE, self.left))
