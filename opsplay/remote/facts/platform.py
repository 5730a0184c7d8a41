"""Facts: kernel, machine, names of the host, Python, environment and the user we are."""

import os
import pwd
import socket
import sys

from opsplay.remote.facts import sources

NAME_SECONDS = 5.0  # a broken resolver would hold getfqdn for 30 s and more


def begin_name_lookup(system):
    """Ask for the full name now, so that a slow resolver answers while other facts are read."""
    return sources.Late(socket.getfqdn)


def collect(system, full_name=None):
    uname = os.uname()
    full_name = full_name or begin_name_lookup(system)
    facts = {"system": uname.sysname, "kernel": uname.release, "kernel_version": uname.version,
             "machine": uname.machine, "architecture": _architecture(uname.machine), "nodename": uname.nodename,
             "hostname": uname.nodename.split(".")[0], "python_version": "%d.%d.%d" % sys.version_info[:3]}
    fqdn = full_name.result(NAME_SECONDS, uname.nodename)
    facts["fqdn"] = fqdn
    facts["domain"] = ".".join(fqdn.split(".")[1:])
    bits = "64" if sys.maxsize > 2 ** 32 else "32"
    facts["userspace_bits"] = bits
    if uname.machine == "x86_64":
        facts["userspace_architecture"] = "x86_64" if bits == "64" else "i386"
    else:
        facts["userspace_architecture"] = facts["architecture"]
    machine_id = sources.text(system, "/etc/machine-id") or sources.text(system, "/var/lib/dbus/machine-id")
    if machine_id:
        facts["machine_id"] = machine_id.split("\n")[0]
    return facts


def _architecture(machine):
    return "i386" if machine in ("i386", "i486", "i586", "i686") else machine


def collect_python(system):
    version = sys.version_info
    try:
        import _ssl  # the extension alone answers, at a fiftieth of the cost of `import ssl`
        has_ssl = hasattr(_ssl, "_SSLContext")
    except ImportError:
        has_ssl = False
    return {"python": {
        "version": {"major": version[0], "minor": version[1], "micro": version[2], "releaselevel": version[3],
                    "serial": version[4]},
        "version_info": list(version), "executable": sys.executable, "has_sslcontext": has_ssl,
        "type": sys.implementation.name}}


def collect_environment(system):
    environment = dict(os.environ)
    environment.update(system.environment or {})
    return {"env": environment}


def collect_user(system):
    facts = {"real_user_id": os.getuid(), "effective_user_id": os.geteuid(), "real_group_id": os.getgid(),
             "effective_group_id": os.getegid(), "effective_group_ids": os.getgroups()}
    try:
        me = pwd.getpwuid(os.getuid())
    except KeyError:
        return dict(facts, user_id=str(os.getuid()), user_uid=os.getuid(), user_gid=os.getgid())
    facts.update(user_id=me.pw_name, user_uid=me.pw_uid, user_gid=me.pw_gid, user_gecos=me.pw_gecos,
                 user_dir=me.pw_dir, user_shell=me.pw_shell)
    return facts


def collect_cmdline(system):
    """cmdline keeps the last value of a repeated word, proc_cmdline a list of all, as Ansible does."""
    import shlex
    line = sources.text(system, "/proc/cmdline") or ""
    try:
        words = shlex.split(line, posix=False)
    except ValueError:
        words = line.split()
    last, every = {}, {}
    for word in words:
        key, equals, value = word.partition("=")
        value = value if equals else True
        last[key] = value
        if key in every and equals:
            every[key] = (every[key] if isinstance(every[key], list) else [every[key]]) + [value]
        else:
            every[key] = value
    return {"cmdline": last, "proc_cmdline": every}
