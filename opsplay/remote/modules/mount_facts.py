"""Gather mounts as facts, from the sources and of the kinds that are asked for."""

import fnmatch
import os
import re

from opsplay.remote.facts import mounts
from opsplay.remote.spec import Choice, Flag, Listing, ModuleFailure, Number, Raw, Spec

SPEC = Spec(
    args={"devices": Listing(text="Patterns of devices; all where not given."), "fstypes": Listing(text="Patterns of kinds."),
          "sources": Listing(text="Tables to read: files, all, static, dynamic, or what mount_binary says."),
          "mount_binary": Raw(default="mount", nullable=True, text="Program that lists mounts where no dynamic table is there."),
          "timeout": Number(text="Seconds for each mount; 10 where not given, for a dead server would hold it for ever."),
          "on_timeout": Choice("error", "warn", "ignore", default="error"), "include_aggregate_mounts": Flag()},
    returns={"ansible_facts": "mount_points: {path: mount}, aggregate_mounts: [mount]"}, facts=True,
    examples=["mount_facts: {fstypes: [ext4, xfs, nfs*]}"],
)
DYNAMIC = ("/etc/mtab", "/proc/mounts", "/etc/mnttab")
STATIC = ("/etc/fstab", "/etc/vfstab")
LISTED = re.compile(r"^(?P<device>.+?) on (?P<point>/.*?) type (?P<kind>\S+) \((?P<options>.*?)\)$")


def read(system, args):
    if args.mount_binary is not None and not isinstance(args.mount_binary, str):
        raise ModuleFailure("argument 'mount_binary' must be a string or null, not %s" % args.mount_binary)
    found = [(source, mount) for source, mount in _mounts(system, args) if _wanted(mount, args)]
    entries = _entries(system, args, found)
    facts = {"mount_points": {}}
    for entry in reversed(entries):  # the first source that names a mount point counts
        facts["mount_points"][entry["mount"]] = entry
    if args.include_aggregate_mounts is None and len(facts["mount_points"]) < len(entries):
        twice = sorted(set(one["mount"] for one in entries if [other["mount"] for other in entries].count(one["mount"]) > 1))
        system.warn("mount_facts: several mounts have the same point (%s); the first is in mount_points. Set "
                    "include_aggregate_mounts to true for all of them, or to false for silence." % ", ".join(twice))
    facts["aggregate_mounts"] = entries if args.include_aggregate_mounts else []
    return {"ansible_facts": facts}


def _mounts(system, args):
    """(source, mount) of every source, each file once; mount_binary where no dynamic file had any."""
    found, seen = [], set()
    for source in args.sources if args.sources is not None else ["all"]:
        if not source:
            raise ModuleFailure("sources contains an empty string")
        dynamic = [("", None)] if source not in ("all", "dynamic") else []
        for path in {"all": DYNAMIC + STATIC, "dynamic": DYNAMIC, "static": STATIC}.get(source, (source,)):
            lines = _of_source(system, args, path, seen)
            found += lines
            dynamic += lines if path in DYNAMIC else []
        if not dynamic and args.mount_binary:
            found += _of_source(system, args, args.mount_binary, seen)
    return found


def _of_source(system, args, path, seen):
    real = os.path.realpath(path) if path.startswith("/") else path
    if real in seen:
        return []
    if path == args.mount_binary:
        seen.add(real)
        return [(path, mount) for mount in _listed(system, args)]
    found = [(path, mount) for mount in mounts.read_mounts(system, path)] if system.stat(path) is not None else []
    if found:
        seen.add(real)
    return found


def _listed(system, args):
    """What mount_binary prints: `DEVICE on POINT type KIND (OPTIONS)`."""
    if system.which(args.mount_binary) is None:
        return []
    run = system.run([args.mount_binary], timeout=args.timeout)
    for line in run.stdout.splitlines():
        parts = LISTED.match(line)
        if parts:
            fields = [parts.group(name).replace(" ", "\\040") for name in ("device", "point", "kind", "options")]
            mount = mounts.Mount(" ".join(fields))
            mount.line = line
            yield mount


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
                  "uuid": uuids.get(os.path.realpath(mount.device), None)}, **sizes.get(mount.point, {})) for source, mount in found]
