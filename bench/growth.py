"""Growth: what a host more and a task more cost, as a table and as a plot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.hosts import Hosts
from bench.measure import interleaved, medians
from bench.peers import PEERS, Job
from bench.works import Work, head, sixty, write_work

HOSTS = (10, 50, 100, 300)
TASKS = (10, 50, 100, 300, 1000)
ROUNDS = {"opsplay": 3}


def growth(hosts: Hosts) -> list[dict[str, Any]]:
    entries = [by_hosts(hosts, count) for count in HOSTS] + [by_tasks(hosts, count) for count in TASKS]
    print(table(entries), flush=True)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "growth.svg").write_text(plot(entries))
    return entries


def by_hosts(hosts: Hosts, count: int) -> dict[str, Any]:
    play, _, _ = sixty(7)  # twenty tasks
    return measured(hosts, Work("growth-hosts", play, "", ""), count, count)


def by_tasks(hosts: Hosts, count: int) -> dict[str, Any]:
    one = '    - copy: {{content: "{0} {{{{ base }}}}\\n", dest: "{{{{ base }}}}/file{0}", mode: "0644"}}\n'
    play = (
        head(False)
        + '    - file: {path: "{{ base }}", state: directory}\n'
        + "".join(one.format(i) for i in range(count - 1))
    )
    return measured(hosts, Work(f"growth-tasks-{count}", play, "", ""), 1, count)


def measured(hosts: Hosts, work: Work, hosts_count: int, size: int) -> dict[str, Any]:
    write_work(hosts.folder, work, "")
    rows = medians(interleaved([PEERS["opsplay"]], Job(hosts, work, hosts_count, hosts.port), ROUNDS))
    return {"work": work.name, "hosts": hosts_count, "latency": 0, "at": time.time(), "size": size, "peers": rows}


def table(entries: Sequence[dict[str, Any]]) -> str:
    lines = [
        "",
        "| work | hosts | wall s | wall ms a host or task | controller CPU ms a host or task | memory MB |",
        "|---|---|---|---|---|---|",
    ]
    for entry in entries:
        row, size = entry["peers"]["opsplay"], entry["size"]
        lines.append(
            f"| {entry['work']} | {entry['hosts']} | {row['wall']:.2f} | {row['wall'] / size * 1000:.1f} | {row['controller'] / size * 1000:.1f} | {row['memory']:.0f} |"
        )
    return "\n".join(lines)


def plot(entries: Sequence[dict[str, Any]]) -> str:
    """Two panels: wall and CPU over hosts, over tasks; both axes linear, so flat cost is a straight line."""
    panels = [[e for e in entries if e["work"] == "growth-hosts"], [e for e in entries if e["work"] != "growth-hosts"]]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="760" height="300" font-family="sans-serif" font-size="12">'
    ]
    for left, (title, rows) in zip(
        (50, 430), zip(("20 tasks, hosts", "1 host, tasks"), panels, strict=True), strict=True
    ):
        parts += panel(left, title, rows)
    return "\n".join([*parts, "</svg>\n"])


def panel(left: int, title: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    width, height, top = 290, 220, 30
    across = max(row["size"] for row in rows)
    up = max(max(row["peers"]["opsplay"]["wall"], row["peers"]["opsplay"]["controller"]) for row in rows)
    parts = [f'<text x="{left}" y="18">{title}: wall (blue), controller CPU (orange), up to {up:.1f} s</text>',
             f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#888"/>']  # fmt: skip
    for name, colour in (("wall", "#1f77b4"), ("controller", "#ff7f0e")):
        points = [
            (left + width * row["size"] / across, top + height * (1 - row["peers"]["opsplay"][name] / up))
            for row in rows
        ]
        parts.append(
            f'<polyline points="{" ".join(f"{x:.0f},{y:.0f}" for x, y in points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
    parts += [
        f'<text x="{left + width * row["size"] / across:.0f}" y="{top + height + 16}" text-anchor="middle">{row["size"]}</text>'
        for row in rows
    ]
    return parts
