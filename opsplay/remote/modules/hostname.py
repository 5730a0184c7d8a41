"""Set the host's name, now and for the next boot."""

import os
import socket

from opsplay.remote.facts import distribution
from opsplay.remote.spec import Choice, ModuleFailure, Spec, Text

SPEC = Spec(
    args={"name": Text(required=True),
          "use": Choice("alpine", "debian", "freebsd", "generic", "macos", "macosx", "darwin", "openbsd", "openrc",
                        "redhat", "sles", "solaris", "systemd")},
    returns={"name": "The name.", "ansible_facts": "The facts that changed with it."},
    examples=["hostname: {name: web1}"], facts=True,
    notes=("/etc/hosts is not changed.",),
)


def observe(system, args):
    return {"current": os.uname().nodename, "permanent": _permanent(system, args)}


def _place(system, args):
    if args.use == "redhat" or (system.stat("/etc/hostname") is None and system.stat("/etc/sysconfig/network") is not None):
        return "/etc/sysconfig/network"
    if args.use == "openrc" or (args.use is None and distribution.service_manager(system) == "openrc" and (
            system.stat("/etc/conf.d/hostname") is not None)):
        return "/etc/conf.d/hostname"
    return "/etc/HOSTNAME" if args.use == "sles" else "/etc/hostname"


def _permanent(system, args):
    path = _place(system, args)
    if system.stat(path) is None:
        return ""
    for line in system.read_text(path).splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key.strip().upper() == "HOSTNAME":
            return value.strip().strip("\"'")
        if line.strip() and not line.startswith("#") and not equals:
            return line.strip()
    return ""


def desired(args, before):
    return {"current": args.name, "permanent": args.name}


def apply(system, args, change):
    path = _place(system, args)
    systemd = args.use in (None, "systemd") and path == "/etc/hostname" and (
        system.which("hostnamectl") and distribution.service_manager(system) == "systemd")
    if systemd:
        _with_hostnamectl(system, args, change)
    else:
        if "permanent" in change:
            system.write(path, _new_content(system, path, args.name).encode(), mode=0o644)
        if "current" in change:
            socket.sethostname(args.name)


def _with_hostnamectl(system, args, change):
    for key, flag in (("current", "--transient"), ("permanent", "--static")):
        if key in change:
            run = system.run(["hostnamectl", flag, "set-hostname", args.name])
            if run.rc != 0:
                raise ModuleFailure("hostnamectl failed: %s" % run.stderr.strip(), rc=run.rc)


def _new_content(system, path, name):
    if path in ("/etc/hostname", "/etc/HOSTNAME"):
        return name + "\n"
    key = "HOSTNAME" if path.endswith("network") else "hostname"
    lines = system.read_text(path).splitlines()
    kept = [line for line in lines if line.partition("=")[0].strip() != key]
    return "\n".join(kept + ['%s="%s"' % (key, name)]) + "\n"


def report(args, before, after):
    short, _, domain = args.name.partition(".")
    return {"name": args.name, "ansible_facts": {
        "ansible_hostname": short, "ansible_nodename": args.name, "ansible_fqdn": socket.getfqdn(),
        "ansible_domain": ".".join(socket.getfqdn().split(".")[1:]) or domain}}


def difference(args, before, after):
    return {"before": "hostname = %s\n" % before["permanent"], "after": "hostname = %s\n" % args.name}
