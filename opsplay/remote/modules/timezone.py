"""Set the host's time zone and what its hardware clock keeps."""

import os

from opsplay.remote.facts import distribution
from opsplay.remote.spec import Choice, ModuleFailure, Spec, Text

SPEC = Spec(args={"name": Text(text="Zone, as Europe/Berlin."),
                  "hwclock": Choice("local", "UTC", aliases=("rtc",))},
            one_of=(("name", "hwclock"),), returns={}, examples=["timezone: {name: Europe/Berlin}"])
ZONES = "/usr/share/zoneinfo"


def observe(system, args):
    seen = {}
    if args.name is not None:
        if system.stat(os.path.join(ZONES, args.name)) is None or ".." in args.name.split("/"):
            raise ModuleFailure('Given timezone "%s" is not available' % args.name)
        seen["name"] = _zone(system)
        if system.stat("/etc/timezone") is not None:
            seen["file"] = system.read_text("/etc/timezone").strip()
    if args.hwclock is not None:
        seen["hwclock"] = _hardware_clock(system)
    return seen


def _zone(system):
    target = os.path.realpath("/etc/localtime")
    if target.startswith(ZONES + "/"):
        name = target[len(ZONES) + 1:]
        for folder in ("posix/", "right/"):
            name = name[len(folder):] if name.startswith(folder) else name
        link = _link(system)
        return link if link and os.path.realpath(os.path.join(ZONES, link)) == target else name
    if system.stat("/etc/timezone") is not None:
        return system.read_text("/etc/timezone").strip()
    return "UTC" if system.lstat("/etc/localtime") is None else None


def _link(system):
    """The zone by the link itself: Europe/Berlin may lead on to another file of the same rules."""
    try:
        target = system.readlink("/etc/localtime")
    except OSError:
        return None
    return target.split("zoneinfo/", 1)[1] if "zoneinfo/" in target else None


def _hardware_clock(system):
    """/etc/adjtime's third line; UTC where it says nothing."""
    if system.stat("/etc/adjtime") is None:
        return "UTC"
    lines = system.read_text("/etc/adjtime").splitlines()
    return "local" if len(lines) > 2 and lines[2].strip() == "LOCAL" else "UTC"


def desired(args, before):
    wanted = {}
    if args.name is not None:
        wanted["name"] = args.name
        if "file" in before:
            wanted["file"] = args.name
    if args.hwclock is not None:
        wanted["hwclock"] = args.hwclock
    return wanted


def apply(system, args, change):
    running = system.which("timedatectl") and distribution.service_manager(system) == "systemd"
    if "name" in change or "file" in change:
        if not (running and system.run(["timedatectl", "set-timezone", args.name]).rc == 0):
            _link_zone(system, args.name)
        if "file" in change.before and system.read_text("/etc/timezone").strip() != args.name:
            system.write("/etc/timezone", (args.name + "\n").encode())
    if "hwclock" in change:
        local = args.hwclock == "local"
        if running:
            argv = ["timedatectl", "set-local-rtc", "1" if local else "0"]
        else:
            argv = ["hwclock", "--systohc", "--localtime" if local else "--utc"]
        run = system.run(argv)
        if run.rc != 0:
            raise ModuleFailure("%s failed: %s" % (argv[0], run.stderr.strip()), rc=run.rc)


def _link_zone(system, name):
    temporary = "/etc/localtime.opsplay-%d" % os.getpid()
    system.symlink(os.path.join(ZONES, name), temporary)
    system.rename(temporary, "/etc/localtime")


def difference(args, before, after):
    keys = [key for key in ("name", "hwclock") if key in before]
    return {"before": {key: before[key] for key in keys}, "after": {key: after.get(key) for key in keys}}
