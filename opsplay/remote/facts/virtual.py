"""Facts: what this host is a guest of, and what it can be a host for."""

import re

from opsplay.remote.facts import sources

CONTAINER_VARIABLES = {"docker": "docker", "podman": "podman", "lxc": "lxc", "lxc-libvirt": "lxc",
                       "systemd-nspawn": "container", "oci": "container"}
CGROUPS = ((re.compile(r"/docker(/|-[0-9a-f]+\.scope)"), ("docker", "container")),
           (re.compile(r"/lxc(/|\.payload)"), ("lxc", "container")),
           (re.compile(r"/machine\.slice|/kubepods|/system\.slice/containerd"), ("container",)),
           (re.compile(r"/libpod-"), ("podman", "container")))
PRODUCTS = (  # (DMI file, pattern, technology)
    ("product_name", re.compile(r"^(KVM|KVM Server|Bochs|AHV|RHEL|OpenStack|OpenShift|Google Compute Engine)"), "kvm"),
    ("product_name", re.compile(r"^RHEV Hypervisor$|^oVirt Node$|^oVirt$"), "RHEV"),
    ("product_name", re.compile(r"^VMware"), "VMware"), ("product_name", re.compile(r"^Parallels"), "parallels"),
    ("product_name", re.compile(r"^HVM domU$"), "xen"), ("product_name", re.compile(r"^VirtualBox$"), "virtualbox"),
    ("sys_vendor", re.compile(r"^(KubeVirt)$"), "KubeVirt"), ("bios_vendor", re.compile(r"^Xen$"), "xen"),
    ("bios_vendor", re.compile(r"^innotek GmbH$"), "virtualbox"), ("bios_vendor", re.compile(r"^Amazon EC2$"), "kvm"),
    ("sys_vendor", re.compile(r"^(VMware, Inc\.)$"), "VMware"), ("bios_vendor", re.compile(r"^BHYVE$"), "bhyve"),
    ("sys_vendor", re.compile(r"^Parallels"), "parallels"),
    ("sys_vendor", re.compile(r"^(QEMU|Amazon EC2|DigitalOcean|Hetzner|oVirt|OpenStack Foundation|Google|Scaleway|"
                              r"Nutanix|Alibaba Cloud|Tencent Cloud|Red Hat|Apple Inc\.\(virtual\))$"), "kvm"))


def collect(system):
    guests, hosts = [], []  # in the order found; the first guest is the type
    _containers(system, guests)
    _machines(system, guests)
    _hypervisors(system, guests, hosts)
    if guests:
        kind, role = guests[0], "guest"
        if hosts and guests[0] in hosts and guests[0] == "xen":
            role = "host"
    elif hosts:
        kind, role = hosts[0], "host"
    else:
        kind, role = "NA", "NA"
    return {"virtualization_type": kind, "virtualization_role": role,
            "virtualization_tech_guest": sorted(set(guests)), "virtualization_tech_host": sorted(set(hosts))}


def _containers(system, guests):
    environment = sources.text(system, "/proc/1/environ") or ""
    named = re.search(r"(?:^|\0)container=([^\0]*)", environment)
    if named:
        kind = CONTAINER_VARIABLES.get(named.group(1), "container")
        guests.append(kind)
        guests.append("container" if kind != "container" else named.group(1))
    elif system.stat("/run/systemd/container") is not None:
        guests.append(CONTAINER_VARIABLES.get(sources.text(system, "/run/systemd/container") or "", "container"))
    cgroup = sources.text(system, "/proc/1/cgroup") or ""
    for pattern, kinds in CGROUPS:
        if pattern.search(cgroup):
            guests.extend(kinds)
            break
    for canary, kinds in (("/.dockerenv", ("docker", "container")), ("/.dockerinit", ("docker", "container")),
                          ("/run/.containerenv", ("podman", "container"))):
        if system.stat(canary) is not None:
            guests.extend(kinds)
    if system.stat("/proc/vz") is not None and system.stat("/proc/lve") is None:
        guests.append("openvz")


def _machines(system, guests):
    values = {}
    for name, pattern, technology in PRODUCTS:
        if name not in values:
            values[name] = sources.text(system, "/sys/devices/virtual/dmi/id/" + name) or ""
        if pattern.search(values[name]):
            guests.append(technology)
    vendor = values["sys_vendor"]
    product = values["product_name"]
    if vendor == "Microsoft Corporation" and product == "Virtual Machine":
        guests.append("VirtualPC")
    if vendor.startswith("QEMU") and "kvm" not in guests:
        guests.append("kvm")
    if "microsoft" in (sources.text(system, "/proc/sys/kernel/osrelease") or "").lower():
        guests.append("wsl")


def _hypervisors(system, guests, hosts):
    if system.stat("/proc/xen") is not None:
        privileged = "control_d" in (sources.text(system, "/proc/xen/capabilities") or "")
        (hosts if privileged else guests).append("xen")
    cpu = sources.text(system, "/proc/cpuinfo") or ""
    if not guests and re.search(r"^(model name|vendor_id).*(QEMU Virtual CPU|Common KVM processor)", cpu, re.M):
        guests.append("kvm")
    modules = set(line.split(" ", 1)[0] for line in sources.lines(system, "/proc/modules"))
    if system.stat("/dev/kvm") is not None or "kvm" in modules:
        hosts.append("kvm")
    if "vboxdrv" in modules:
        hosts.append("virtualbox")
    if "virtio" in modules and not guests:
        guests.append("kvm")
