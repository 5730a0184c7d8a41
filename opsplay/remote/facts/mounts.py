"""Facts: mounted file systems, with sizes; a dead NFS server costs its time limit and nothing more."""

import os
import re

from opsplay.remote.facts import sources

PSEUDO = frozenset((
    "proc", "sysfs", "devtmpfs", "devpts", "tmpfs", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "mqueue",
    "hugetlbfs", "pstore", "bpf", "configfs", "fusectl", "binfmt_misc", "autofs", "rpc_pipefs", "nsfs", "efivarfs",
    "ramfs", "selinuxfs"))


class Mount(object):
    """One line of /proc/self/mounts or fstab."""

    __slots__ = ("device", "dump", "kind", "line", "options", "passno", "point")

    def __init__(self, line):
        fields = line.split()
        self.line = line
        self.device, self.point, self.kind, self.options = [unescape(field) for field in fields[:4]]
        self.dump = int(fields[4]) if len(fields) > 4 and fields[4].isdigit() else 0
        self.passno = int(fields[5]) if len(fields) > 5 and fields[5].isdigit() else 0


def unescape(field):
    """The kernel writes blanks in names as octal: \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), field)


def read_mounts(system, path="/proc/self/mounts"):
    for line in sources.lines(system, path):
        if len(line.split()) >= 4 and not line.startswith("#"):
            yield Mount(line)


def has_device(mount):
    """The mounts that Ansible lists: on a device or on a server."""
    return (mount.device.startswith("/") or ":/" in mount.device) and mount.kind != "none"


def collect(system, seconds=10.0):
    mounts = [mount for mount in read_mounts(system) if has_device(mount)]
    uuids = device_uuids(system)
    binds = _bind_points(system)
    sizes = measure(system, [mount.point for mount in mounts], seconds)
    found = []
    for mount in mounts:
        options = mount.options
        if mount.point in binds and "bind" not in options.split(","):
            options += ",bind"
        entry = {"mount": mount.point, "device": mount.device, "fstype": mount.kind, "options": options,
                 "dump": mount.dump, "passno": mount.passno, "uuid": uuids.get(os.path.realpath(mount.device), "N/A")}
        entry.update(sizes.get(mount.point, {}))
        found.append(entry)
    return {"mounts": found}


def device_uuids(system):
    """{device path: uuid} from udev's links, without asking any device."""
    folder = "/dev/disk/by-uuid"
    return {os.path.realpath(os.path.join(folder, name)): name for name in sources.entries(system, folder)}


def _bind_points(system):
    """Mount points that show a part of a file system: field 4 of mountinfo is the root within it."""
    points = set()
    for line in sources.lines(system, "/proc/self/mountinfo"):
        fields = line.split()
        if len(fields) > 5 and fields[3] not in ("/", "/..") and "- btrfs " not in line:
            points.add(unescape(fields[4]))
    return points


def measure(system, points, seconds):
    """{point: sizes}: asked in a thread, since statvfs on a dead server never returns. One that hangs is noted, not waited for again."""
    sizes = {}
    waiting = list(points)
    while waiting:
        batch = list(waiting)
        late = sources.Late(_measure_into, sizes, batch, waiting)
        late.result(seconds)
        if not late.pending:
            break
        stuck = batch[len(batch) - len(waiting)] if waiting else None
        if stuck is None:
            break
        sizes[stuck] = {"note": "Timed out while attempting to get extra information."}
        waiting = waiting[1:]
        seconds = min(seconds, 1.0)  # whoever has one dead server mostly has several mounts of it
    return sizes


def _measure_into(sizes, batch, waiting):
    for point in batch:
        try:
            sizes[point] = capacity(point)
        except OSError:
            pass
        if not waiting or waiting[0] != point:
            return  # given up on meanwhile
        waiting.pop(0)


def capacity(point):
    found = os.statvfs(point)
    return {"size_total": found.f_frsize * found.f_blocks, "size_available": found.f_frsize * found.f_bavail,
            "block_size": found.f_bsize, "block_total": found.f_blocks, "block_available": found.f_bavail,
            "block_used": found.f_blocks - found.f_bavail, "inode_total": found.f_files,
            "inode_available": found.f_favail, "inode_used": found.f_files - found.f_favail}
