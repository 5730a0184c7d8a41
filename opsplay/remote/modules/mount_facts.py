"""Gather mounts as facts, from the sources and of the kinds that are asked for."""

import fnmatch

from opsplay.remote.facts import mounts
from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Number, Spec, Text

SPEC = Spec(
    args={"devices": Listing(), "fstypes": Listing(), "sources": Listing(), "mount_binary": Text(default="mount"),
          "timeout": Number(), "on_timeout": Choice("error", "warn", "ignore", default="error"),
          "include_aggregate_mounts": Flag()},
    returns={"ansible_facts": "mount_points: {path: mount}, aggregate_mounts: [mount]"}, facts=True,
    examples=["mount_facts: {fstypes: [ext4, xfs, nfs*]}"],
)
DYNAMIC = ("/etc/mtab", "/proc/mounts")
STATIC = ("/etc/fstab",)


def read(system, args):
    found = []
    for source in _sources(args):
        if system.stat(source) is None:
            continue
        for mount in mounts.read_mounts(system, source):
            if _wanted(mount, args):
                found.append((source, mount))
    entries = _entries(system, args, found)
    facts = {"mount_points": {}}
    for entry in reversed(entries):  # the first source that names a mount point counts
        facts["mount_points"][entry["mount"]] = entry
    aggregate = args.include_aggregate_mounts
    facts["aggregate_mounts"] = entries if aggregate else []
    return {"ansible_facts": facts}


def _sources(args):
    chosen = []
    for source in args.sources or ["all"]:
        for path in {"all": DYNAMIC + STATIC, "dynamic": DYNAMIC, "static": STATIC}.get(source, (source,)):
            if path != "mount" and path not in chosen:
                chosen.append(path)
    return chosen


def _wanted(mount, args):
    def fits(patterns, value):
        return not patterns or any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)
    return fits(args.devices, mount.device) and fits(args.fstypes, mount.kind)


def _entries(system, args, found):
    seconds = args.timeout or 10.0
    live = set(mount.point for mount in mounts.read_mounts(system))
    sizes = mounts.measure(system, sorted(set(mount.point for _, mount in found if mount.point in live)), seconds)
    late = sorted(point for point, size in sizes.items() if "note" in size)
    if late and args.on_timeout == "error":
        raise ModuleFailure("Timed out getting the size of %s" % ", ".join(late))
    if late and args.on_timeout == "warn":
        system.warn("Timed out getting the size of %s" % ", ".join(late))
    uuids = mounts.device_uuids(system)
    return [dict({"ansible_context": {"source": source, "source_data": mount.line}, "mount": mount.point, "device": mount.device,
                  "fstype": mount.kind, "options": mount.options, "dump": mount.dump, "passno": mount.passno,
                  "uuid": uuids.get(mount.device, None)}, **sizes.get(mount.point, {})) for source, mount in found]
