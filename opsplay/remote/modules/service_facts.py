"""Gather the services of the host and their states as facts."""

from opsplay.remote.facts import distribution, sources
from opsplay.remote.spec import Spec

SPEC = Spec(returns={"ansible_facts": "services: {name: {name, state, status, source}}"}, facts=True,
            examples=["service_facts:"])


def read(system, args):
    services = {}
    for name in sources.entries(system, "/etc/init.d"):
        if name not in ("README", "rc", "rcS", "functions", "skeleton", "single", "halt", "reboot", "killprocs"):
            services[name] = {"name": name, "state": "stopped", "source": "sysv"}
    manager = distribution.service_manager(system)
    if manager == "systemd":
        units = _systemd(system)
        for name, service in services.items():
            unit = units.get(name + ".service", {})
            service["state"] = "running" if unit.get("state") in ("running", "active") else "stopped"
        services.update(units)
    elif system.which("rc-status"):
        services = _openrc(system)
    else:
        for name, service in services.items():
            if system.run(["/etc/init.d/" + name, "status"], timeout=10).rc == 0:
                service["state"] = "running"
    return {"ansible_facts": {"services": services}}


def _systemd(system):
    services = {}
    listing = system.run(["systemctl", "list-units", "--no-pager", "--no-legend", "--plain", "--all", "--type", "service"])
    for line in listing.stdout.splitlines():
        words = line.split(None, 4)
        if len(words) > 3:
            name, load, active, sub = words[:4]
            services[name] = {"name": name, "source": "systemd", "status": load if load != "loaded" else active,
                              "state": "running" if sub == "running" else "failed" if active == "failed" else "stopped"}
    files = system.run(["systemctl", "list-unit-files", "--no-pager", "--no-legend", "--type", "service", "--all"])
    for line in files.stdout.splitlines():
        words = line.split()
        if len(words) > 1:
            known = services.setdefault(words[0], {"name": words[0], "source": "systemd", "state": "unknown"})
            known["status"] = words[1]
    _add_states(system, services)
    return services


def _add_states(system, services):
    """Files that no loaded unit has the name of: aliases and units at rest, asked for at once; templates have no state."""
    names = [name for name, service in services.items() if service["state"] == "unknown" and "@." not in name]
    if not names:
        return
    shown = system.run(["systemctl", "show", "--no-pager", "-p", "ActiveState", "--"] + names).stdout
    states = [line.partition("=")[2] for line in shown.splitlines() if line]
    for at, name in enumerate(names):  # in a chroot there is nobody to ask: nothing runs there
        services[name]["state"] = states[at] if len(states) == len(names) else "inactive"


def _openrc(system):
    services = {}
    for line in system.run(["rc-status", "-a", "-s"]).stdout.splitlines():
        name, bracket, rest = line.strip().partition("[")
        if bracket:
            state = rest.strip(" ]\t").split()[0]
            services[name.strip()] = {"name": name.strip(), "source": "openrc",
                                      "state": "running" if state == "started" else state}
    return services
