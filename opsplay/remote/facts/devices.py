"""Facts: block devices, their partitions and links, LVM, NVMe and iSCSI names."""

import os
import re

from opsplay.remote.facts import sources

LINKS = (("ids", "/dev/disk/by-id"), ("uuids", "/dev/disk/by-uuid"), ("labels", "/dev/disk/by-label"))


def collect(system):
    links = _all_links(system)
    names = sources.entries(system, "/sys/block")
    return {"devices": {name: _device(system, name, links) for name in names}, "device_links": links}


def _all_links(system):
    found = {}
    for kind, folder in LINKS:
        of_device = found[kind] = {}
        for name in sources.entries(system, folder):
            target = os.path.basename(sources.link(system, folder + "/" + name) or "")
            of_device.setdefault(target, []).append(_unhex(name))
    masters = found["masters"] = {}
    for name in sources.entries(system, "/sys/block"):
        for below in sources.entries(system, "/sys/block/%s/slaves" % name):
            masters.setdefault(below, []).append(name)
    return found


def _unhex(name):
    return re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found.group(1), 16)), name)


def _links_of(links, name):
    return {kind: links[kind].get(name, []) for kind in ("ids", "labels", "masters", "uuids")}


def _device(system, name, links):
    folder = "/sys/block/" + name
    sector = int(sources.text(system, folder + "/queue/logical_block_size") or 512)
    sectors = int(sources.text(system, folder + "/size") or 0)  # always in 512 byte units
    virtual = "/virt" in os.path.realpath(folder)  # /devices/virtual/ and virtio's alike
    device = {"virtual": 1 if virtual else 0, "links": _links_of(links, name),
              "vendor": sources.text(system, folder + "/device/vendor"),
              "model": sources.text(system, folder + "/device/model"),
              "sas_address": sources.text(system, folder + "/device/sas_address"),
              "sas_device_handle": sources.text(system, folder + "/device/sas_device_handle"),
              "removable": sources.text(system, folder + "/removable"),
              "rotational": sources.text(system, folder + "/queue/rotational"),
              "scheduler_mode": _scheduler(sources.text(system, folder + "/queue/scheduler")),
              "support_discard": sources.text(system, folder + "/queue/discard_granularity"),
              "sectors": sectors * 512 // sector, "sectorsize": str(sector), "size": human(sectors * 512), "host": "",
              "holders": _holders(system, folder), "partitions": _partitions(system, folder, name, links)}
    serial = sources.text(system, folder + "/device/serial") or sources.text(system, folder + "/serial")
    if serial:
        device["serial"] = serial
    return device


def _scheduler(text):
    active = re.search(r"\[([^]]*)\]", text or "")
    return active.group(1) if active else (text or "")


def _holders(system, folder):
    named = []
    for holder in sources.entries(system, folder + "/holders"):
        named.append(sources.text(system, "/sys/block/%s/dm/name" % holder) or holder)
    return named


def _partitions(system, folder, name, links):
    partitions = {}
    for entry in sources.entries(system, folder):
        if not entry.startswith(name) or system.stat("%s/%s/partition" % (folder, entry)) is None:
            continue
        part = folder + "/" + entry
        sectors = int(sources.text(system, part + "/size") or 0)
        found = _links_of(links, entry)
        partitions[entry] = {
            "links": found, "start": sources.text(system, part + "/start"), "sectors": sectors, "sectorsize": 512,
            "size": human(sectors * 512), "uuid": found["uuids"][0] if found["uuids"] else None,
            "holders": _holders(system, part)}
    return partitions


def human(size):
    for unit, power in (("YB", 80), ("ZB", 70), ("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)):
        if size >= 1 << power:
            return "%.2f %s" % (size / float(1 << power), unit)
    return "%.2f Bytes" % size


def collect_lvm(system, seconds=10.0):
    """Volume groups, only asked for when the kernel maps any volume: `vgs` scans disks and takes locks."""
    if os.geteuid() != 0 or not system.which("vgs") or not sources.entries(system, "/dev/mapper")[1:]:
        return {"lvm": "N/A"}
    groups, volumes, physical = {}, {}, {}
    for row in _table(system, "vgs", "vg_name,pv_count,lv_count,vg_size,vg_free", seconds):
        groups[row[0]] = {"num_pvs": row[1], "num_lvs": row[2], "size_g": row[3], "free_g": row[4]}
    for row in _table(system, "lvs", "lv_name,vg_name,lv_size", seconds):
        volumes[row[0]] = {"vg": row[1], "size_g": row[2]}
    for row in _table(system, "pvs", "pv_name,vg_name,pv_size,pv_free", seconds):
        physical[row[0]] = {"vg": row[1], "size_g": row[2], "free_g": row[3]}
    return {"lvm": {"vgs": groups, "lvs": volumes, "pvs": physical}}


def _table(system, command, columns, seconds):
    argv = [command, "--noheadings", "--nosuffix", "--units", "g", "--separator", ",", "-o", columns]
    run = system.run(argv, timeout=seconds)
    return [[cell.strip() for cell in line.split(",")] for line in run.stdout.splitlines() if line.strip()]


def collect_names(system):
    """Names that storage networks know this host by."""
    facts = {"iscsi_iqn": "", "hostnqn": sources.text(system, "/etc/nvme/hostnqn") or "", "fibre_channel_wwn": []}
    for line in sources.lines(system, "/etc/iscsi/initiatorname.iscsi"):
        if line.startswith("InitiatorName="):
            facts["iscsi_iqn"] = line.split("=", 1)[1].strip()
    for name in sources.entries(system, "/sys/class/fc_host"):
        port = sources.text(system, "/sys/class/fc_host/%s/port_name" % name)
        if port:
            facts["fibre_channel_wwn"].append(port[2:] if port.startswith("0x") else port)
    return facts
