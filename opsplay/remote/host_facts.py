"""Small facts of the host that modules ask for (System.facts), each found once per connection, mostly without a process."""

import os
import platform
import socket

from opsplay.remote.spec import ModuleFailure

FAMILIES = {
    "Debian": ("debian", "ubuntu", "linuxmint", "raspbian", "kali", "pop", "devuan", "deepin", "uos", "elementary"),
    "RedHat": ("rhel", "centos", "fedora", "rocky", "almalinux", "ol", "amzn", "scientific", "virtuozzo", "eurolinux"),
    "Suse": ("suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles", "sled", "sle_hpc"),
    "Archlinux": ("arch", "manjaro", "endeavouros", "antergos"),
    "Alpine": ("alpine",),
    "Gentoo": ("gentoo", "funtoo"),
    "Void": ("void",),
    "Slackware": ("slackware",),
}
NAMES = {
    "debian": "Debian", "ubuntu": "Ubuntu", "linuxmint": "Linux Mint", "raspbian": "Raspbian", "kali": "Kali",
    "rhel": "RedHat", "centos": "CentOS", "fedora": "Fedora", "rocky": "Rocky", "almalinux": "AlmaLinux",
    "ol": "OracleLinux", "amzn": "Amazon", "sles": "SLES", "opensuse-leap": "openSUSE Leap",
    "opensuse-tumbleweed": "openSUSE Tumbleweed", "arch": "Archlinux", "manjaro": "Manjaro", "alpine": "Alpine",
    "gentoo": "Gentoo", "void": "Void", "slackware": "Slackware",
}
PACKAGE_MANAGERS = (
    ("Debian", ("/usr/bin/apt-get", "apt")), ("RedHat", ("/usr/bin/dnf5", "dnf5")), ("RedHat", ("/usr/bin/dnf", "dnf")),
    ("RedHat", ("/usr/bin/yum", "yum")), ("Suse", ("/usr/bin/zypper", "zypper")), ("Alpine", ("/sbin/apk", "apk")),
    ("Archlinux", ("/usr/bin/pacman", "pacman")), ("Gentoo", ("/usr/bin/emerge", "portage")),
    ("Void", ("/usr/bin/xbps-install", "xbps")),
)


def find(system, name):
    """The fact, with those that are found along with it, as a dict. Raises ModuleFailure for a name unknown here."""
    for names, finder in _FINDERS:
        if name in names:
            return finder(system)
    raise ModuleFailure("no small fact is called %s" % name)


def os_release(system):
    """The fields of os-release, {} where there is none."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        if system.stat(path) is not None:
            return _shell_assignments(system.read_text(path, 65536))
    return {}


def _shell_assignments(text):
    fields = {}
    for line in text.splitlines():
        key, mark, value = line.strip().partition("=")
        if mark and key.isidentifier():
            fields[key] = value.strip().strip("'\"")
    return fields


def _distribution(system):
    release = os_release(system)
    identity = release.get("ID", "").lower()
    version = _version(system, identity, release.get("VERSION_ID", ""))
    return {
        "distribution": NAMES.get(identity, release.get("NAME") or platform.system()),
        "distribution_version": version,
        "distribution_major_version": version.split(".")[0] if version else "NA",
        "distribution_release": release.get("VERSION_CODENAME") or _codename(release.get("VERSION", "")) or "NA",
        "os_family": _family(identity, release.get("ID_LIKE", "").lower().split()),
    }


def _version(system, identity, version):
    """Debian's os-release names only the major version; its minor one is in debian_version."""
    if identity == "debian" and system.stat("/etc/debian_version") is not None:
        exact = system.read_text("/etc/debian_version", 100).strip()
        if exact.split(".")[0] == version:
            return exact
    return version


def _codename(version):
    return version.partition("(")[2].partition(")")[0]


def _family(identity, likes):
    for candidate in [identity] + likes:
        for family, members in FAMILIES.items():
            if candidate in members:
                return family
    return NAMES.get(identity, platform.system())


def _package_manager(system):
    family = _distribution(system)["os_family"]
    for wanted, (path, name) in PACKAGE_MANAGERS:
        if wanted == family and system.stat(path) is not None:
            return {"pkg_mgr": name}
    found = [name for _, (path, name) in PACKAGE_MANAGERS if system.stat(path) is not None]
    return {"pkg_mgr": found[0] if found else "unknown"}


def _service_manager(system):
    """What runs as process 1; systemctl alone, as in a container, does not make systemd."""
    if system.stat("/run/systemd/system") is not None:
        return {"service_mgr": "systemd"}
    try:
        first = system.read_text("/proc/1/comm", 64).strip()
    except OSError:
        first = ""
    if first == "systemd":
        return {"service_mgr": "systemd"}
    if system.which("rc-service") and system.stat("/run/openrc") is not None:
        return {"service_mgr": "openrc"}
    if system.which("initctl") and first == "init" and system.stat("/etc/init") is not None:
        return {"service_mgr": "upstart"}
    return {"service_mgr": "sysvinit" if system.stat("/etc/init.d") is not None else "service"}


def _kernel(system):
    names = os.uname()
    return {"system": names.sysname, "kernel": names.release, "architecture": names.machine, "machine": names.machine}


def _names(system):
    node = os.uname().nodename
    return {"hostname": node.split(".")[0], "nodename": node, "fqdn": socket.getfqdn()}


def _python(system):
    import sys
    return {"python_version": platform.python_version(), "python_executable": sys.executable}


def _user(system):
    import pwd
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
        return {"user_id": entry.pw_name, "user_uid": uid, "user_dir": entry.pw_dir}
    except KeyError:
        return {"user_id": str(uid), "user_uid": uid, "user_dir": os.environ.get("HOME", "/")}


_FINDERS = (
    (("distribution", "distribution_version", "distribution_major_version", "distribution_release", "os_family"),
     _distribution),
    (("pkg_mgr",), _package_manager),
    (("service_mgr",), _service_manager),
    (("system", "kernel", "architecture", "machine"), _kernel),
    (("hostname", "nodename", "fqdn"), _names),
    (("python_version", "python_executable"), _python),
    (("user_id", "user_uid", "user_dir"), _user),
)
