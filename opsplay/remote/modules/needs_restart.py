"""Find what still runs old code after an update: services and processes with deleted libraries, a pending reboot."""

import os
import re

from opsplay.remote.open_files import process_name
from opsplay.remote.spec import Dictionary, Flag, Listing, Spec, Text

SPEC = Spec(
    args={
        "exclude": Listing(default=[], text="Units (regular expressions) never to name in services."),
    },
    returns={
        "services": Listing(text="systemd units that can be restarted by themselves."),
        "deferred": Listing(text="Units that only a reboot (or a new login) brings up to date."),
        "processes": Listing(text="pid, name, unit, files of each process with old code."),
        "reboot_required": Flag(), "reboot_packages": Listing(), "kernel": Dictionary(text="running, and newest installed."), "msg": Text(),
    },
    examples=("needs_restart:",),
    notes=("Without root only one's own processes can be looked at.",),
)
CODE = re.compile(r"^/(?!dev/|tmp/|run/|var/tmp/|proc/|SYSV|memfd:|\[)(.*\.so(\.|$|-)|.*/s?bin/|usr/lib|opt/|.*\.jar$)")
DEFERRED = re.compile(r"^(dbus(-broker)?|systemd-logind|display-manager|gdm3?|sddm|lightdm|user@\d+|user-runtime-dir@\d+|session-.*|getty@.*|"
                      r"serial-getty@.*|console-getty|init|auditd|emergency|rescue)(\.service|\.scope)?$")


def read(system, args):
    found = [process for process in map(_look, _pids()) if process]
    units = sorted({process["unit"] for process in found if process["unit"]})
    excluded = [unit for unit in units if any(re.search(form, unit) for form in args.exclude)]
    deferred = [unit for unit in units if DEFERRED.match(unit) or not unit.endswith(".service")]
    services = [unit for unit in units if unit not in deferred and unit not in excluded]
    reboot, packages = _reboot(system)
    kernel = _kernel(system)
    return {
        "services": services, "deferred": deferred, "excluded": excluded, "processes": found, "reboot_packages": packages,
        "reboot_required": reboot or kernel["running"] != kernel["newest"], "kernel": kernel,
        "msg": "%d services run old code%s" % (len(services), ", and a reboot is required" if reboot else ""),
    }


def _pids():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid())


def _look(pid):
    """The process, where it runs or maps code that was replaced or removed since."""
    try:
        with open("/proc/%d/maps" % pid, "rb") as stream:
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return None
    files = {line.split(None, 5)[5][:-10] for line in text.splitlines() if line.endswith(" (deleted)") and len(line.split(None, 5)) == 6}
    files = sorted(name for name in files if CODE.match(name))
    if not files:
        return None
    return {"pid": pid, "name": process_name(pid), "unit": unit_of(pid), "files": files[:10]}


def unit_of(pid):
    """The systemd unit a process belongs to, by its control group."""
    try:
        with open("/proc/%d/cgroup" % pid) as stream:
            lines = stream.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, kind, path = line.split(":", 2)
        if kind in ("", "name=systemd"):
            parts = [part for part in path.split("/") if part.endswith((".service", ".scope"))]
            if parts:
                return parts[0] if parts[0].startswith("user@") else parts[-1]
    return "init" if pid == 1 else ""


def _reboot(system):
    """Debian's and Ubuntu's marks; elsewhere needs-restarting says it."""
    for folder in ("/run", "/var/run"):
        if os.path.exists(folder + "/reboot-required"):
            names = system.read_text(folder + "/reboot-required.pkgs").split() if os.path.exists(folder + "/reboot-required.pkgs") else []
            return True, sorted(set(names))
    if system.which("needs-restarting"):
        return system.run(["needs-restarting", "-r"]).rc == 1, []
    return False, []


def _kernel(system):
    """Versions as /boot names them; a container has none, and then nothing is claimed."""
    running = os.uname().release
    flavour = running.split("-")[-1]
    versions = [os.path.basename(path)[len("vmlinuz-"):] for path in system.glob("/boot/vmlinuz-*")]
    versions = [version for version in versions if version.split("-")[-1] == flavour]
    if running not in versions:
        return {"running": running, "newest": running}
    return {"running": running, "newest": max(versions, key=_numbers)}


def _numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)]
