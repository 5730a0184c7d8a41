"""What a bench says: a table a work, the goals, the line of `make bench QUICK=1`, and JSON with machine and versions."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.peers import PACKAGES, version

Entry = dict[str, Any]


def table(entry: Entry) -> str:
    """Wall and CPU of every peer, as seconds and as a ratio to the limit."""
    rows = entry["peers"]
    limit = rows.get("limit", {}).get("wall")
    title = f"{entry['work']}, {entry['hosts']} host(s), {entry['latency']} ms"
    lines = ["", f"### {title}", "", "| | wall s | x limit | controller CPU s | remote CPU s | memory MB | sent, round trips, kB up/down a host |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, row in rows.items():
        ratio = f"{row['wall'] / limit:.1f}" if limit else ""
        wire = row.get("wire") or {}
        said = (
            f"{wire['sent']:.0f}, {wire['turns']:.0f}, {wire['up'] / 1000:.0f}/{wire['down'] / 1000:.0f}"
            if wire
            else ""
        )
        lines.append(
            f"| {name} | {row['wall']:.2f} | {ratio} | {row['controller']:.2f} | {row['remote']:.2f} | {row['memory']:.0f} | {said} |"
        )
    lines += [f"| {name} | failed: {why.splitlines()[0]} | | | | | |" for name, why in entry.get("failed", {}).items()]
    return "\n".join(lines)


def ratio(entries: Sequence[Entry], work: str, hosts: int, over: str, under: str, latency: float = 0) -> float | None:
    """How many times `over`'s wall time is `under`'s."""
    for entry in entries:
        if (entry["work"], entry["hosts"], entry["latency"]) == (work, hosts, latency):
            rows = entry["peers"]
            if over in rows and under in rows:
                return float(rows[over]["wall"]) / float(rows[under]["wall"])
    return None


def text_of(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}"


def speed_line(entries: Sequence[Entry]) -> str:
    def of(hosts: int, over: str, under: str) -> str:
        return text_of(ratio(entries, "sixty", hosts, over, under))

    return (
        f"speed: N=1 {of(1, 'opsplay', 'limit')} x limit, N=10 {of(10, 'opsplay', 'limit')} x limit, at N=10 {of(10, 'pyinfra', 'opsplay')} x faster than pyinfra, "
        f"{of(10, 'mitogen', 'opsplay')} x than mitogen, {of(10, 'ansible-pipelining', 'opsplay')} x than ansible-pipelining"
    )


# work, hosts, latency, over, under, goal, whether at most
GOALS = [
    ("sixty", 1, 0, "opsplay", "limit", 2.0, True),
    ("sixty", 1, 0, "mitogen", "opsplay", 8.0, False),
    ("sixty", 1, 0, "pyinfra", "opsplay", 8.0, False),
    ("sixty", 1, 0, "ansible-pipelining", "opsplay", 25.0, False),
    ("sixty", 10, 0, "opsplay", "limit", 1.5, True),
    ("sixty", 10, 0, "pyinfra", "opsplay", 7.0, False),
    ("sixty", 10, 0, "mitogen", "opsplay", 20.0, False),
    ("sixty", 10, 0, "ansible-pipelining", "opsplay", 100.0, False),
    ("sixty", 10, 20, "opsplay", "limit", 2.0, True),
    ("commands", 1, 0, "opsplay", "limit", 2.0, True),
    ("files", 1, 0, "opsplay", "limit", 2.0, True),
    ("loop", 1, 0, "opsplay", "limit", 2.0, True),
    ("facts", 1, 0, "opsplay", "limit", 3.0, True),
    ("big-copy", 1, 0, "opsplay", "scp", 1.5, True),
    ("sixty", 300, 0, "opsplay", "limit", 2.0, True),
]


def goals(entries: Sequence[Entry]) -> str:
    lines = ["", "| goal | wanted | measured | |", "|---|---|---|---|"]
    for work, hosts, latency, over, under, goal, most in GOALS:
        found = ratio(entries, work, hosts, over, under, latency)
        if found is not None:
            reached = found <= goal if most else found >= goal
            wanted = f"{'at most' if most else 'at least'} {goal:g}"
            lines.append(
                f"| {work}, N={hosts}, {latency} ms: {over} / {under} | {wanted} | {found:.2f} | {'reached' if reached else 'missed'} |"
            )
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "",
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def keep(entries: list[Entry], folder: Path) -> None:
    """One file a bench, and latest.json: entries of this bench over those of earlier ones."""
    folder.mkdir(exist_ok=True, parents=True)
    whole = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
             "versions": {name: version(name) for name in PACKAGES}, "entries": entries}  # fmt: skip
    (folder / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(entries[0]['at']))}.json").write_text(json.dumps(whole, indent=1) + "\n")
    latest = folder / "latest.json"
    older = json.loads(latest.read_text())["entries"] if latest.exists() else []
    measured = {key(entry) for entry in entries}
    whole["entries"] = [entry for entry in older if key(entry) not in measured] + entries
    latest.write_text(json.dumps(whole, indent=1) + "\n")


def key(entry: Entry) -> tuple[str, int, float]:
    return entry["work"], entry["hosts"], entry["latency"]
