"""The facts that matter for a maintenance summary: OS, uptime, load, memory, disks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

MIB = 1024 * 1024
IMAGES = ("squashfs", "iso9660", "erofs")


def machine_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The summary's facts of a host; keys that the host did not give are left out."""
    found = {
        "os": " ".join(filter(None, (_text(_get(facts, key)) for key in ("distribution", "distribution_version")))),
        "kernel": _text(_get(facts, "kernel")),
        "architecture": _text(_get(facts, "architecture")),
        "python": _text(_get(facts, "python_version")),
        "cpus": _number(_get(facts, "processor_vcpus")) or _number(_get(facts, "processor_nproc")) or None,
        "uptime_seconds": _number(_get(facts, "uptime_seconds")) or None,
        "load": _load(_get(facts, "loadavg")),
        "memory": _memory(facts),
        "disks": _disks(_get(facts, "mounts")),
    }
    return {key: value for key, value in found.items() if value not in (None, "", {}, [])}


def _get(facts: Mapping[str, Any], name: str) -> Any:
    """A fact by its name with or without the `ansible_` prefix."""
    return facts.get(f"ansible_{name}", facts.get(name))


def _load(loadavg: Any) -> list[float]:
    if isinstance(loadavg, Mapping):
        return [float(loadavg[key]) for key in ("1m", "5m", "15m") if finite(loadavg.get(key))]
    return []


def _memory(facts: Mapping[str, Any]) -> dict[str, int]:
    sizes = {key: _get(facts, f"{key}_mb") for key in ("memtotal", "memfree", "swaptotal", "swapfree")}
    memory = {
        f"{key[3:] if key.startswith('mem') else 'swap_' + key[4:]}_bytes": int(value) * MIB
        for key, value in sizes.items()
        if finite(value)
    }
    details = _get(facts, "memory_mb")
    nocache = details.get("nocache", {}) if isinstance(details, Mapping) else {}
    if isinstance(nocache, Mapping) and finite(nocache.get("free")):
        memory["available_bytes"] = int(nocache["free"]) * MIB
    return memory


def _disks(mounts: Any) -> list[dict[str, Any]]:
    """Each device once, by the first place it is mounted at; images that are always full are no news."""
    if not isinstance(mounts, list):
        return []
    found: dict[str, dict[str, Any]] = {}
    for mount in mounts:
        if isinstance(mount, Mapping) and _number(mount.get("size_total")) and mount.get("fstype") not in IMAGES:
            disk = _disk(mount)
            found.setdefault(disk["device"] if disk["device"].startswith("/") else disk["mount"], disk)
    return list(found.values())


def _disk(mount: Mapping[str, Any]) -> dict[str, Any]:
    size, free = _number(mount.get("size_total")), _number(mount.get("size_available"))
    return {
        "mount": str(mount.get("mount", "?")),
        "device": str(mount.get("device", "")),
        "fstype": str(mount.get("fstype", "")),
        "total_bytes": size,
        "available_bytes": free,
        "used_percent": round(100 * (size - free) / size, 1) if size else 0.0,
    }


def _number(value: Any) -> int:
    return int(value) if finite(value) else 0


def finite(value: Any) -> TypeGuard[int | float]:
    """A number that can be computed with. Hosts send what they like."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""
