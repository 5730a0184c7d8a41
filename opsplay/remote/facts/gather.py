"""Which families of facts a gather_subset asks for, and their collection, each within its time limit."""

from opsplay.remote.facts import (
    clock,
    devices,
    distribution,
    hardware,
    local,
    mounts,
    network,
    platform,
    security,
    virtual,
)
from opsplay.remote.spec import ModuleFailure


class Family(object):
    """A collector with the subset names that choose it. `group` is the big subset that it is part of; min is always on."""

    def __init__(self, name, collect, group="all", also=(), needs=()):
        self.name = name
        self.collect = collect  # collect(request) -> facts
        self.group = group
        self.names = frozenset((name, group) + tuple(also))
        self.needs = needs


def _plain(collect):
    return lambda request: collect(request.system)


FAMILIES = (
    Family("platform", lambda request: platform.collect(request.system, request.full_name), "min",
           ("system", "kernel", "kernel_version", "machine", "python_version", "architecture", "machine_id")),
    Family("distribution", _plain(distribution.collect), "min",
           ("distribution_version", "distribution_release", "distribution_major_version", "os_family")),
    Family("lsb", _plain(distribution.collect_lsb), "min"),
    Family("pkg_mgr", _plain(distribution.collect_package_manager), "min", needs=("distribution",)),
    Family("service_mgr", _plain(distribution.collect_service_manager), "min", needs=("platform", "distribution")),
    Family("selinux", _plain(security.collect_selinux), "min"),
    Family("apparmor", _plain(security.collect_apparmor), "min"),
    Family("caps", _plain(security.collect_capabilities), "min", ("system_capabilities", "system_capabilities_enforced")),
    Family("fips", _plain(security.collect_fips), "min"),
    Family("chroot", _plain(security.collect_chroot), "all", ("is_chroot",)),
    Family("ssh_pub_keys", _plain(security.collect_ssh_keys), "min",
           tuple("ssh_host_key_%s_public" % kind for kind, _ in security.KEY_KINDS)),
    Family("systemd", _plain(security.collect_systemd), "min"),
    Family("cmdline", _plain(platform.collect_cmdline), "min"),
    Family("python", _plain(platform.collect_python), "min"),
    Family("env", _plain(platform.collect_environment), "min"),
    Family("user", _plain(platform.collect_user), "min",
           ("user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell", "real_user_id",
            "effective_user_id", "effective_group_ids")),
    Family("date_time", _plain(clock.collect), "min"),
    Family("loadavg", _plain(clock.load)),
    Family("dns", _plain(network.collect_dns), "min"),
    Family("local", lambda request: local.collect(request.system, request.fact_path, request.seconds), "min"),
    Family("processor", _plain(hardware.processors), "hardware", ("processor_cores", "processor_count")),
    Family("memory", _plain(hardware.memory), "hardware"),
    Family("firmware", _plain(hardware.firmware), "hardware"),
    Family("uptime", _plain(clock.uptime), "hardware"),
    Family("mounts", lambda request: mounts.collect(request.system, request.seconds), "hardware"),
    Family("devices", _plain(devices.collect), "hardware"),
    Family("lvm", lambda request: devices.collect_lvm(request.system, request.seconds), "hardware"),
    Family("network", _plain(network.collect), "network",
           ("interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"),
           needs=("platform", "distribution")),
    Family("storage_names", _plain(devices.collect_names), "all", ("iscsi", "hostnqn", "fibre_channel_wwn", "nvme")),
    Family("virtual", _plain(virtual.collect), "virtual",
           ("virtualization_type", "virtualization_role", "virtualization_tech_guest", "virtualization_tech_host")),
)
BY_NAME = {family.name: family for family in FAMILIES}
IGNORED = frozenset(("facter", "ohai"))  # programs of other tools; asking for them is allowed and gives nothing
KNOWN = frozenset(("all", "min", "hardware", "network", "virtual")).union(IGNORED, *[family.names for family in FAMILIES])


class Request(object):
    """One call of setup: whom to ask and within which limits."""

    def __init__(self, system, seconds, fact_path):
        self.system = system
        self.seconds = seconds
        self.fact_path = fact_path
        self.full_name = None


def choose(subset):
    """The families that a gather_subset list means, in their order. `!x` takes x away; min stays unless `!min`.

    Words with ! alone ask for nothing beyond the minimum, as in Ansible: `!hardware` gives no network either.
    """
    wanted, unwanted = set(), set()
    for word in subset:
        name = word.lstrip("!")
        if name not in KNOWN and not word.startswith("!"):
            raise ModuleFailure("Bad subset '%s' given to Ansible. gather_subset options allowed: all, %s"
                                % (name, ", ".join(sorted(KNOWN - {"all"}))))
        if word.startswith("!"):
            unwanted.add(name)
        else:
            wanted.add(name)
    return [family for family in FAMILIES if _is_chosen(family, wanted, unwanted)]


def _is_chosen(family, wanted, unwanted):
    if family.group == "min":
        if family.names & wanted - {"min"}:
            return True
        if "min" in unwanted or family.name in unwanted:
            return False
        return True
    own = family.names - {"all"}
    if own & unwanted and not (own - {family.group}) & wanted:
        return False
    if own & wanted:
        return True
    return "all" in wanted and "all" not in unwanted


def with_needs(families):
    """A family's needs are collected, and given, too."""
    names = set(family.name for family in families)
    for family in families:
        names.update(family.needs)
    return [family for family in FAMILIES if family.name in names]


def collect(system, subset, seconds, fact_path):
    """Facts of the chosen families, unprefixed. One family that fails costs a warning, not the others."""
    families = with_needs(choose(subset))
    request = Request(system, seconds, fact_path)
    if any(family.name == "platform" for family in families):
        request.full_name = platform.begin_name_lookup(system)
    facts = {}
    for family in sorted(families, key=lambda one: one.name == "platform"):  # the name look-up has had time meanwhile
        try:
            facts.update(family.collect(request))
        except Exception as error:  # a fact is never worth the play
            system.warn("facts of %s could not be read: %s: %s" % (family.name, type(error).__name__, error))
    return facts
