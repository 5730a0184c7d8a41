"""Facts: interfaces with their addresses, default routes, all addresses, DNS settings."""

import os
import re
import socket
import struct

from opsplay.remote.facts import netlink, sources

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
TYPES = {"1": "ether", "32": "infiniband", "512": "ppp", "772": "loopback", "65534": "tunnel"}
PROBES = (("default_ipv4", "8.8.8.8"), ("default_ipv6", "2404:6800:400a:800::1012"))


def collect(system):
    names = sources.entries(system, "/sys/class/net")
    names = [name for name in names if system.stat("/sys/class/net/%s/flags" % name) is not None]
    interfaces = {name: _interface(system, name) for name in names}
    by_index = {_number(system, "/sys/class/net/%s/ifindex" % name): name for name in names}
    everything = {"all_ipv4_addresses": [], "all_ipv6_addresses": []}
    _add_addresses(interfaces, by_index, everything)
    facts = {"interfaces": names}
    for name, interface in interfaces.items():
        facts[re.sub(r"[-:]", "_", name)] = interface
    facts.update(everything)
    facts.update(_defaults(interfaces, by_index))
    facts["locally_reachable_ips"] = locally_reachable(interfaces)
    return facts


def _number(system, path):
    try:
        return int(sources.text(system, path) or 0, 0)
    except ValueError:
        return 0


def _interface(system, name):
    folder = "/sys/class/net/" + name
    flags = _number(system, folder + "/flags")
    kind = TYPES.get(sources.text(system, folder + "/type") or "", "unknown")
    interface = {"device": name, "active": bool(flags & 1), "mtu": _number(system, folder + "/mtu"),
                 "promisc": bool(flags & 0x100), "type": kind}
    address = sources.text(system, folder + "/address")
    if address and address != "00:00:00:00:00:00":
        interface["macaddress"] = address
    _add_hardware(system, folder, interface)
    _add_kind(system, folder, interface)
    return interface


def _add_hardware(system, folder, interface):
    driver = sources.link(system, folder + "/device/driver/module")
    if driver:
        interface["module"] = os.path.basename(driver)
    bus = sources.link(system, folder + "/device")
    if bus:
        interface["pciid"] = os.path.basename(bus)
    speed = sources.text(system, folder + "/speed")
    if speed and speed.lstrip("-").isdigit():
        interface["speed"] = int(speed)


def _add_kind(system, folder, interface):
    if system.stat(folder + "/bridge") is not None:
        interface.update(type="bridge", interfaces=sources.entries(system, folder + "/brif"),
                         id=sources.text(system, folder + "/bridge/bridge_id") or "",
                         stp=sources.text(system, folder + "/bridge/stp_state") == "1")
    elif system.stat(folder + "/bonding") is not None:
        bond = folder + "/bonding/"
        interface.update(type="bonding", slaves=(sources.text(system, bond + "slaves") or "").split(),
                         mode=(sources.text(system, bond + "mode") or "").split(" ")[0],
                         miimon=(sources.text(system, bond + "miimon") or "").split(" ")[0],
                         lacp_rate=(sources.text(system, bond + "lacp_rate") or "").split(" ")[0])
        primary = sources.text(system, bond + "primary")
        if primary:
            interface["primary"] = primary
            interface["all_slaves_active"] = sources.text(system, bond + "all_slaves_active") == "1"


def _add_addresses(interfaces, by_index, everything):
    for family, prefix, _, scope, index, attributes in netlink.addresses():
        name = by_index.get(index)
        if name is None:
            continue
        if family == socket.AF_INET:
            _add_ipv4(interfaces, name, prefix, attributes, everything)
        elif family == socket.AF_INET6:
            packed = attributes.get(2) or attributes.get(1)
            address = socket.inet_ntop(socket.AF_INET6, packed)
            interfaces[name].setdefault("ipv6", []).append(
                {"address": address, "prefix": str(prefix), "scope": SCOPES.get(scope, str(scope))})
            if address != "::1":
                everything["all_ipv6_addresses"].append(address)


def _add_ipv4(interfaces, name, prefix, attributes, everything):
    packed = attributes.get(2) or attributes.get(1)
    mask = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    number = struct.unpack("!I", packed)[0]
    broadcast = attributes.get(4)
    entry = {"address": socket.inet_ntoa(packed), "netmask": socket.inet_ntoa(struct.pack("!I", mask)),
             "network": socket.inet_ntoa(struct.pack("!I", number & mask)), "prefix": str(prefix),
             "broadcast": socket.inet_ntoa(broadcast) if broadcast else ""}
    label = attributes.get(3, b"").rstrip(b"\0").decode() or name
    if label != name:  # an alias (eth0:1) is an interface of its own to Ansible
        interfaces.setdefault(label, dict(interfaces[name], device=label)).update(ipv4=entry)
    elif "ipv4" not in interfaces[name]:
        interfaces[name]["ipv4"] = entry
    else:
        interfaces[name].setdefault("ipv4_secondaries", []).append(entry)
    if not entry["address"].startswith("127."):
        everything["all_ipv4_addresses"].append(entry["address"])


def _defaults(interfaces, by_index):
    facts = {}
    for fact, probe in PROBES:
        facts[fact] = {}
        route = netlink.route_to(probe)
        name = by_index.get(route[0]) if route else None
        if name is not None:
            facts[fact] = _default(interfaces[name], name, route, ":" in probe)
    return facts


def _default(interface, name, route, six):
    entry = {"interface": name, "address": route[1]}
    if route[2]:
        entry["gateway"] = route[2]
    own = interface.get("ipv6", []) if six else [interface.get("ipv4", {})] + interface.get("ipv4_secondaries", [])
    for candidate in own:
        if candidate.get("address") == route[1]:
            entry.update(candidate)
    entry.update(mtu=interface["mtu"], type=interface["type"])
    if "macaddress" in interface:
        entry["macaddress"] = interface["macaddress"]
    if not six:
        entry["alias"] = name
    return entry


def locally_reachable(interfaces):
    """The addresses that this host answers on itself, as the kernel's local table has them."""
    four, six = ["127.0.0.0/8"], ["::1"]
    for interface in interfaces.values():
        for entry in [interface.get("ipv4")] + interface.get("ipv4_secondaries", []):
            if entry:
                four.append(entry["address"])
        six.extend(entry["address"] for entry in interface.get("ipv6", []) if entry["address"] != "::1")
    return {"ipv4": sorted(set(four)), "ipv6": sorted(set(six))}


def collect_dns(system):
    """resolv.conf, in Ansible's shape."""
    dns = {}
    for line in sources.lines(system, "/etc/resolv.conf"):
        words = line.split()
        if not words or words[0].startswith(("#", ";")):
            continue
        if words[0] == "nameserver":
            dns.setdefault("nameservers", []).extend(words[1:2])
        elif words[0] == "domain" and len(words) > 1:
            dns["domain"] = words[1]
        elif words[0] in ("search", "sortlist"):
            dns[words[0]] = words[1:]
        elif words[0] == "options":
            options = dns.setdefault("options", {})
            for word in words[1:]:
                name, colon, value = word.partition(":")
                options[name] = value if colon else True
    return {"dns": dns}
