"""Which files running processes hold open, from /proc. Travels to hosts: Python 3.6 syntax."""

import os


class OpenFiles(object):
    """(device, inode) -> ids of the processes that hold it open, map it, run it or stand in it."""

    def __init__(self, holders, blind):
        self.holders = holders
        self.blind = blind  # how many processes did not let us look

    def of(self, status):
        return sorted(self.holders.get((status.st_dev, status.st_ino), ()))

    def names(self, status):
        return ["%s (pid %d)" % (process_name(pid), pid) for pid in self.of(status)]


def scan(only=None):
    """Look at every process once. `only` limits the result to those (device, inode) pairs."""
    holders = {}
    blind = 0
    mapped = {}  # path -> key: the same libraries are mapped by nearly every process
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        seen = _of_process(entry, only, mapped)
        if seen is None:
            blind += 1
            continue
        for key in seen:
            holders.setdefault(key, set()).add(int(entry))
    return OpenFiles(holders, blind)


def _of_process(pid, only, mapped):
    seen = set()
    base = "/proc/" + pid
    try:
        numbers = os.listdir(base + "/fd")
    except PermissionError:
        return None
    except OSError:
        return seen  # it ended meanwhile
    for link in [base + "/fd/" + number for number in numbers] + [base + "/cwd", base + "/root", base + "/exe"]:
        key = _key(link)
        if key is not None and (only is None or key in only):
            seen.add(key)
    seen.update(_mapped(base + "/maps", only, mapped))
    return seen


def _key(link):
    try:
        status = os.stat(link)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _mapped(path, only, known):
    """Mapped files; overlayfs shows another device here than stat does, so the path is asked too."""
    seen = set()
    try:
        with open(path, "rb") as stream:
            lines = stream.read().split(b"\n")
    except OSError:
        return seen
    for name in {line[line.index(b"/"):] for line in lines if b"/" in line}:
        if name not in known:
            known[name] = _key(name)
        key = known[name]
        if key is not None and (only is None or key in only):
            seen.add(key)
    return seen


def process_name(pid):
    try:
        with open("/proc/%d/comm" % pid) as stream:
            return stream.read().strip()
    except (OSError, UnicodeDecodeError):
        return "?"


def writers(keys):
    """(device, inode) -> {pid: open flags} of the processes that have it open for writing."""
    found = {}
    for pid in [entry for entry in os.listdir("/proc") if entry.isdigit()]:
        try:
            numbers = os.listdir("/proc/%s/fd" % pid)
        except OSError:
            continue
        for number in numbers:
            key = _key("/proc/%s/fd/%s" % (pid, number))
            if key in keys:
                flags = _flags(pid, number)
                if flags & os.O_ACCMODE:
                    found.setdefault(key, {})[int(pid)] = flags
    return found


def _flags(pid, number):
    try:
        with open("/proc/%s/fdinfo/%s" % (pid, number)) as stream:
            for line in stream:
                if line.startswith("flags:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    return 0
