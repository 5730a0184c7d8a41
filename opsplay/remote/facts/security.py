"""Facts: SELinux, AppArmor, capabilities, FIPS, chroot, the host's public ssh keys, systemd's version."""

import os
import re

from opsplay.remote.facts import sources

KEY_KINDS = (("dsa", "ssh_host_dsa_key.pub"), ("rsa", "ssh_host_rsa_key.pub"), ("ecdsa", "ssh_host_ecdsa_key.pub"),
             ("ed25519", "ssh_host_ed25519_key.pub"))
KEY_FOLDERS = ("/etc/ssh", "/etc/openssh", "/etc")
CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore")


def collect_selinux(system):
    """SELinux by its kernel files and /etc/selinux/config; the Python binding is not needed."""
    folder = "/sys/fs/selinux"
    config = sources.assignments(system, "/etc/selinux/config")
    if system.stat(folder + "/enforce") is None:
        status = {"status": "disabled"} if config or system.which("getenforce") else {"status": "disabled"}
        return {"selinux": status, "selinux_python_present": True}
    enforcing = sources.text(system, folder + "/enforce") == "1"
    return {"selinux_python_present": True, "selinux": {
        "status": "enabled", "mode": "enforcing" if enforcing else "permissive",
        "config_mode": config.get("SELINUX", "unknown"), "type": config.get("SELINUXTYPE", "unknown"),
        "policyvers": int(sources.text(system, folder + "/policyvers") or 0)}}


def collect_apparmor(system):
    there = system.stat("/sys/kernel/security/apparmor") is not None
    return {"apparmor": {"status": "enabled" if there else "disabled"}}


def collect_capabilities(system):
    """As `capsh --print` says, from /proc/self/status, which costs no process."""
    masks = dict(re.findall(r"^(Cap\w+):\s*([0-9a-f]+)", sources.text(system, "/proc/self/status") or "", re.M))
    if "CapEff" not in masks:
        return {"system_capabilities_enforced": "N/A", "system_capabilities": "N/A"}
    last = int(sources.text(system, "/proc/sys/kernel/cap_last_cap") or len(CAPABILITIES) - 1)
    everything = (1 << (last + 1)) - 1
    effective = int(masks["CapEff"], 16)
    if effective & everything == everything:
        return {"system_capabilities_enforced": "False", "system_capabilities": []}
    held = [_capability(bit) for bit in range(last + 1) if effective >> bit & 1]
    return {"system_capabilities_enforced": "True", "system_capabilities": held}


def _capability(bit):
    return "cap_" + CAPABILITIES[bit] if bit < len(CAPABILITIES) else "cap_%d" % bit


def collect_fips(system):
    return {"fips": sources.text(system, "/proc/sys/crypto/fips_enabled") == "1"}


def collect_chroot(system):
    """Not in a chroot when our / is the / of process 1; where that cannot be read, when its inode is a root's."""
    if os.environ.get("debian_chroot"):
        return {"is_chroot": True}
    here = system.stat("/")
    try:
        there = os.stat("/proc/1/root/.")
        return {"is_chroot": (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev)}
    except OSError:
        roots = {"btrfs": (256,), "xfs": (128, 64, 96, 1024)}
        return {"is_chroot": here.st_ino not in roots.get(_root_kind(system), (2, 256, 128))}


def _root_kind(system):
    for line in sources.lines(system, "/proc/self/mounts"):
        fields = line.split()
        if len(fields) > 2 and fields[1] == "/":
            return fields[2]
    return ""


def collect_ssh_keys(system):
    facts = {}
    for folder in KEY_FOLDERS:
        for kind, name in KEY_KINDS:
            words = (sources.text(system, folder + "/" + name) or "").split()
            if len(words) > 1:
                facts["ssh_host_key_%s_public" % kind] = words[1]
                facts["ssh_host_key_%s_public_keytype" % kind] = words[0]
        if facts:
            break
    return facts


def collect_systemd(system):
    """Version and features of systemd, only where it runs this host."""
    if system.stat("/run/systemd/system/") is None or not system.which("systemctl"):
        return {}
    lines = system.run(["systemctl", "--version"], timeout=5).stdout.splitlines()
    found = re.match(r"systemd (\d+)", lines[0]) if lines else None
    if not found:
        return {}
    return {"systemd": {"version": int(found.group(1)), "features": lines[1].strip() if len(lines) > 1 else ""}}
