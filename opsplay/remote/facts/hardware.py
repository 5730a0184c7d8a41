"""Facts: processors, memory, firmware (DMI)."""

import os
import re

from opsplay.remote.facts import clock, sources

X86_KEYS = ("vendor_id", "model name", "Processor", "cpu", "Cpu")


def collect(system):
    facts = processors(system)
    facts.update(memory(system))
    facts.update(firmware(system))
    facts.update(clock.uptime(system))
    return facts


def processors(system):
    """Counts from /proc/cpuinfo: physical ids are sockets, siblings over cores are threads."""
    found = _read_processors(system)
    sockets = found["sockets"]
    facts = {"processor": found["names"], "flags": found["flags"]}
    if sockets:
        siblings = max(one["siblings"] for one in sockets.values())
        cores = max(one["cores"] for one in sockets.values())
        count = len(sockets)
        threads = max(1, siblings // cores)
        vcpus = count * threads * cores
    else:
        count, cores, threads, vcpus = max(1, found["count"]), 1, 1, max(1, found["count"])
    try:
        available = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        available = os.cpu_count() or vcpus
    facts.update(processor_count=count, processor_cores=cores, processor_threads_per_core=threads,
                 processor_vcpus=vcpus, processor_nproc=available)
    return facts


def _read_processors(system):
    names, flags, sockets, count = [], [], {}, 0
    socket = "0"
    for line in sources.lines(system, "/proc/cpuinfo"):
        key, _, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if key == "processor" and value.isdigit():
            names.append(value)
            count += 1
        elif key in X86_KEYS or key == "processor":
            names.append(value)
        elif key == "physical id":
            socket = value
            sockets.setdefault(socket, {"cores": 1, "siblings": 1})
        elif key == "cpu cores" and socket in sockets:
            sockets[socket]["cores"] = max(1, int(value))
        elif key == "siblings" and socket in sockets:
            sockets[socket]["siblings"] = max(1, int(value))
        elif key in ("flags", "Features") and not flags:
            flags = value.split()
    return {"names": names, "flags": flags, "sockets": sockets, "count": count}


def memory(system):
    kilobytes = sources.numbers(system, "/proc/meminfo")
    megabytes = {name: size // 1024 for name, size in kilobytes.items()}
    total, free = megabytes.get("MemTotal", 0), megabytes.get("MemFree", 0)
    reclaimable = megabytes.get("Cached", 0) + megabytes.get("Buffers", 0)
    swap_total, swap_free = megabytes.get("SwapTotal", 0), megabytes.get("SwapFree", 0)
    return {
        "memtotal_mb": total, "memfree_mb": free, "swaptotal_mb": swap_total, "swapfree_mb": swap_free,
        "memory_mb": {
            "real": {"total": total, "used": total - free, "free": free},
            "nocache": {"free": free + reclaimable, "used": total - free - reclaimable},
            "swap": {"total": swap_total, "free": swap_free, "used": swap_total - swap_free,
                     "cached": megabytes.get("SwapCached", 0)}}}


FORM_FACTORS = (
    "Unknown", "Other", "Unknown", "Desktop", "Low Profile Desktop", "Pizza Box", "Mini Tower", "Tower", "Portable",
    "Laptop", "Notebook", "Hand Held", "Docking Station", "All In One", "Sub Notebook", "Space-saving", "Lunch Box",
    "Main Server Chassis", "Expansion Chassis", "Sub Chassis", "Bus Expansion Chassis", "Peripheral Chassis",
    "RAID Chassis", "Rack Mount Chassis", "Sealed-case PC", "Multi-system", "CompactPCI", "AdvancedTCA", "Blade",
    "Blade Enclosure", "Tablet", "Convertible", "Detachable", "IoT Gateway", "Embedded PC", "Mini PC", "Stick PC")
FIRMWARE = {
    "bios_date": "bios_date", "bios_vendor": "bios_vendor", "bios_version": "bios_version",
    "board_asset_tag": "board_asset_tag", "board_name": "board_name", "board_serial": "board_serial",
    "board_vendor": "board_vendor", "board_version": "board_version", "chassis_asset_tag": "chassis_asset_tag",
    "chassis_serial": "chassis_serial", "chassis_vendor": "chassis_vendor", "chassis_version": "chassis_version",
    "form_factor": "chassis_type", "product_name": "product_name", "product_serial": "product_serial",
    "product_uuid": "product_uuid", "product_version": "product_version", "system_vendor": "sys_vendor"}


def firmware(system):
    folder = "/sys/class/dmi/id"
    if system.stat(folder + "/product_name") is None:
        return _device_tree(system)
    facts = {}
    for fact, name in FIRMWARE.items():
        value = sources.text(system, folder + "/" + name)
        facts[fact] = "NA" if value is None else value
    kind = facts["form_factor"]
    if kind.isdigit():
        number = int(kind) & 0x7F
        facts["form_factor"] = FORM_FACTORS[number] if number < len(FORM_FACTORS) else "unknown (%d)" % number
    return facts


def _device_tree(system):
    facts = dict.fromkeys(FIRMWARE, "NA")
    model = sources.text(system, "/proc/device-tree/model")
    if model:
        facts["product_name"] = re.sub("\0+$", "", model)
    return facts
