"""Facts: distribution, its family, its package manager and its service manager."""

import re

from opsplay.remote.facts import sources

FAMILIES = {
    "RedHat": ("RedHat", "RHEL", "Fedora", "CentOS", "Scientific", "SLC", "Ascendos", "CloudLinux", "PSBM", "OracleLinux",
               "OVS", "OEL", "Amazon", "Virtuozzo", "XenServer", "Alibaba", "EulerOS", "openEuler", "AlmaLinux", "Rocky",
               "TencentOS", "EuroLinux", "Kylin Linux Advanced Server", "MIRACLE", "Anolis"),
    "Debian": ("Debian", "Ubuntu", "Raspbian", "Neon", "KDE neon", "Linux Mint", "SteamOS", "Devuan", "Kali",
               "Cumulus Linux", "Pop!_OS", "Parrot", "Pardus GNU/Linux", "Uos", "Deepin", "OSMC", "Linuxmint"),
    "Suse": ("SuSE", "SLES", "SLED", "openSUSE", "openSUSE Tumbleweed", "openSUSE Leap", "openSUSE MicroOS", "SLES_SAP",
             "SL-Micro", "ALP-Dolomite", "SUSE_LINUX"),
    "Archlinux": ("Archlinux", "Antergos", "Manjaro", "Manjaro-ARM"),
    "Mandrake": ("Mandrake", "Mandriva"),
    "Gentoo": ("Gentoo", "Funtoo"),
    "Altlinux": ("Altlinux",),
    "ClearLinux": ("Clear Linux OS", "Clear Linux Mix"),
}

NAMES = {  # os-release ID -> Ansible's name
    "debian": "Debian", "ubuntu": "Ubuntu", "raspbian": "Raspbian", "linuxmint": "Linux Mint", "kali": "Kali",
    "devuan": "Devuan", "pop": "Pop!_OS", "neon": "KDE neon", "parrot": "Parrot", "steamos": "SteamOS", "uos": "Uos",
    "deepin": "Deepin", "pardus": "Pardus GNU/Linux", "osmc": "OSMC", "cumulus-linux": "Cumulus Linux",
    "rhel": "RedHat", "centos": "CentOS", "fedora": "Fedora", "rocky": "Rocky", "almalinux": "AlmaLinux",
    "ol": "OracleLinux", "amzn": "Amazon", "cloudlinux": "CloudLinux", "scientific": "Scientific",
    "virtuozzo": "Virtuozzo", "eurolinux": "EuroLinux", "openEuler": "openEuler", "tencentos": "TencentOS",
    "miraclelinux": "MIRACLE", "alinux": "Alibaba", "anolis": "Anolis", "euleros": "EulerOS",
    "sles": "SLES", "sled": "SLED", "sles_sap": "SLES_SAP", "opensuse-leap": "openSUSE Leap",
    "opensuse-tumbleweed": "openSUSE Tumbleweed", "opensuse-microos": "openSUSE MicroOS", "opensuse": "openSUSE",
    "sl-micro": "SL-Micro", "alpine": "Alpine", "arch": "Archlinux", "archarm": "Archlinux", "manjaro": "Manjaro",
    "manjaro-arm": "Manjaro-ARM", "gentoo": "Gentoo", "funtoo": "Funtoo", "slackware": "Slackware", "void": "Void",
    "altlinux": "Altlinux", "clear-linux-os": "Clear Linux OS", "nixos": "NixOS", "flatcar": "Flatcar",
    "coreos": "Coreos", "openwrt": "OpenWrt",
}

MANAGERS = (  # the first that is there; dnf and apt are sorted out by family below
    ("/usr/bin/apt-get", "apt"), ("/usr/bin/dnf5", "dnf5"), ("/usr/bin/dnf-3", "dnf"), ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/microdnf", "dnf"), ("/usr/bin/yum", "yum"), ("/usr/bin/zypper", "zypper"), ("/sbin/apk", "apk"),
    ("/usr/bin/apk", "apk"), ("/usr/bin/pacman", "pacman"), ("/usr/bin/emerge", "portage"),
    ("/usr/bin/xbps-install", "xbps"), ("/usr/bin/swupd", "swupd"), ("/usr/sbin/urpmi", "urpmi"),
    ("/bin/opkg", "opkg"), ("/usr/sbin/pkg", "pkgng"), ("/usr/sbin/slackpkg", "slackpkg"),
)
PREFERRED = {"Debian": ("apt",), "RedHat": ("dnf5", "dnf", "yum"), "Suse": ("zypper",), "Alpine": ("apk",),
             "Archlinux": ("pacman",), "Gentoo": ("portage",), "Altlinux": ("apt_rpm",)}


def family_of(distribution):
    for family, members in FAMILIES.items():
        if distribution in members:
            return family
    return distribution


def collect(system):
    release = sources.assignments(system, "/etc/os-release") or sources.assignments(system, "/usr/lib/os-release")
    name = NAMES.get(release.get("ID", ""), release.get("NAME", "").split(" ")[0] or "Linux")
    facts = {"distribution": name, "distribution_version": release.get("VERSION_ID", "NA"),
             "distribution_release": _codename(release), "distribution_file_parsed": bool(release),
             "distribution_file_path": "/etc/os-release", "distribution_file_variety": name,
             "os_family": family_of(name)}
    refine = {"Debian": _debian, "RedHat": _red_hat, "Suse": _suse, "Alpine": _alpine,
              "Archlinux": _arch}.get(facts["os_family"])
    if refine:
        refine(system, facts, release)
    facts.setdefault("distribution_major_version", facts["distribution_version"].split(".")[0])
    return facts


def _codename(release):
    named = release.get("VERSION_CODENAME") or release.get("UBUNTU_CODENAME")
    if named:
        return named
    inside = re.search(r"\(([^)]*)\)", release.get("VERSION", "")) or re.search(r",\s*(\w+)", release.get("VERSION", ""))
    return inside.group(1).split(" ")[0].lower() if inside and "ID_LIKE" not in release else (
        inside.group(1) if inside else "NA")


def _debian(system, facts, release):
    facts["distribution_file_variety"] = "Debian"
    if facts["distribution"] != "Debian":
        return
    exact = sources.text(system, "/etc/debian_version") or ""
    major, dot, minor = exact.partition(".")
    if dot and major.isdigit():
        facts["distribution_version"] = exact
        facts["distribution_minor_version"] = minor
    elif facts["distribution_version"] == "NA" and "/" in exact:
        facts["distribution_release"] = exact.split("/")[0]  # testing and sid: "trixie/sid", no VERSION_ID


def _red_hat(system, facts, release):
    banner = sources.text(system, "/etc/redhat-release") or sources.text(system, "/etc/system-release") or ""
    if facts["distribution"] not in ("Amazon", "OracleLinux", "openEuler", "Alibaba"):
        facts["distribution_file_path"], facts["distribution_file_variety"] = "/etc/redhat-release", "RedHat"
    exact = re.search(r"release (\d+(?:\.\d+)*)", banner)
    if exact and facts["distribution"] == "CentOS" and "Stream" not in banner:
        facts["distribution_version"] = ".".join(exact.group(1).split(".")[:2])
    inside = re.search(r"\(([^)]*)\)", banner)
    if inside:
        facts["distribution_release"] = inside.group(1)
    elif "Stream" in banner:
        facts["distribution_release"] = "Stream"


def _suse(system, facts, release):
    facts["distribution_file_variety"] = "SUSE"
    major, _, minor = facts["distribution_version"].partition(".")
    facts["distribution_release"] = minor or "0"


def _alpine(system, facts, release):
    facts.update(distribution_file_path="/etc/alpine-release", distribution_release="NA")
    facts["distribution_version"] = sources.text(system, "/etc/alpine-release") or facts["distribution_version"]


def _arch(system, facts, release):
    facts.update(distribution_file_path="/etc/arch-release", distribution_version="rolling", distribution_release="rolling")


def package_manager(system, family):
    """Ansible's pkg_mgr for a host of that os_family."""
    found = [name for path, name in MANAGERS if system.stat(path) is not None]
    for preferred in PREFERRED.get(family, ()):
        if preferred in found or (preferred == "apt_rpm" and "apt" in found):
            return preferred
    return found[0] if found else "unknown"


FIRST_PROCESS = {"procd": "openwrt_init", "runit-init": "runit", "svscan": "svc", "openrc-init": "openrc"}


def service_manager(system):
    """Ansible's service_mgr: what process 1 is, or what the file system says about it."""
    first = sources.text(system, "/proc/1/comm") or ""
    if system.which("systemctl") and _is_systemd(system):
        return "systemd"
    if first not in ("", "init", "systemd") and not first.endswith("sh"):
        return FIRST_PROCESS.get(first, first)
    if system.which("initctl") and system.stat("/etc/init/") is not None:
        return "upstart"
    if system.stat("/sbin/openrc") is not None:
        return "openrc"
    if system.which("systemctl") and (sources.link(system, "/sbin/init") or "").endswith("systemd"):
        return "systemd"
    if system.stat("/etc/init.d/") is not None:
        return "sysvinit"
    return "service"


def _is_systemd(system):
    return any(system.stat(canary) is not None
               for canary in ("/run/systemd/system/", "/dev/.run/systemd/", "/dev/.systemd/"))


def collect_package_manager(system):
    return {"pkg_mgr": package_manager(system, collect(system)["os_family"])}


def collect_service_manager(system):
    return {"service_mgr": service_manager(system)}


def collect_lsb(system):
    """What `lsb_release -a` says; read from its sources, because starting it costs more than all other facts."""
    if not system.which("lsb_release") and system.stat("/etc/lsb-release") is None:
        return {"lsb": {}}
    release = sources.assignments(system, "/etc/lsb-release")
    general = sources.assignments(system, "/etc/os-release")
    version = release.get("DISTRIB_RELEASE") or general.get("VERSION_ID", "")
    lsb = {"id": release.get("DISTRIB_ID") or NAMES.get(general.get("ID", ""), general.get("NAME", "")),
           "codename": release.get("DISTRIB_CODENAME") or general.get("VERSION_CODENAME", ""),
           "description": release.get("DISTRIB_DESCRIPTION") or general.get("PRETTY_NAME", ""),
           "release": version, "major_release": version.split(".")[0]}
    return {"lsb": lsb}
