"""`python -m bench`: runs the works side by side and prints the table; `--quick` is the play at 1 and 10 hosts."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import Any

from bench import report
from bench.hosts import Hosts, running
from bench.measure import Failed, cable, counted, interleaved, medians
from bench.peers import ENVIRONMENTS, PEERS, Job, Peer, install
from bench.works import Work, works, written

FAST, ALL = ["limit", "opsplay"], [name for name in PEERS if name != "scp"]
DIRECT = ["limit", "opsplay", "pyinfra", "mitogen", "ansible-pipelining"]
# work, hosts, round trip in ms, peers, rounds
QUICK = [("sixty", 1, 0, DIRECT, 3), ("sixty", 10, 0, DIRECT, 2)]
FULL = [
    ("sixty", 1, 0, ALL, 5),
    ("sixty", 10, 0, ALL, 3),
    ("sixty", 10, 20, ["limit", "opsplay", "pyinfra"], 3),
    ("sixty-first", 1, 0, DIRECT, 3),
    ("sixty-first", 10, 0, FAST, 3),
    ("facts", 1, 0, ["limit", "opsplay", "mitogen", "ansible-pipelining"], 5),
    ("commands", 1, 0, DIRECT, 3),
    ("files", 1, 0, DIRECT, 3),
    ("loop", 1, 0, DIRECT, 3),
    ("commands", 1, 20, FAST, 3),
    ("big-copy", 1, 0, ["scp", *DIRECT], 3),
    ("sixty", 50, 0, ["limit", "opsplay", "pyinfra"], 3),
    ("sixty", 300, 0, FAST, 2),
]
FEWER = {"pyinfra": 2, "mitogen": 2, "ansible-pipelining": 1, "ansible": 1}  # rounds: they take minutes


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that hosts and user are gone behind
    options = parsed()
    plan = QUICK if options.quick else FULL
    plan = [
        row
        for row in plan
        if (not options.work or row[0] in options.work) and (not options.hosts or row[1] in options.hosts)
    ]
    wanted = options.peers.split(",") if options.peers else list(PEERS)
    for name in sorted({PEERS[name].package for row in plan for name in row[3] if name in wanted} - {""}):
        install(name)
    entries: list[dict[str, Any]] = []
    with running() as hosts:
        written(hosts.folder)
        for name, count, latency, peers, rounds in plan:
            peers = [peer for peer in peers if peer in wanted]
            entry = measured(hosts, works()[name], count, latency, peers, options.rounds or rounds)
            entries.append(entry)
            report.keep(entries, ENVIRONMENTS.parent / "results")
            print(report.table(entry), flush=True)
        if options.growth or not (options.quick or options.work or options.hosts):
            from bench.growth import growth

            entries += growth(hosts)
    report.keep(entries, ENVIRONMENTS.parent / "results")
    print(report.goals(entries))
    print(report.speed_line(entries))
    return 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="the play's second run at 1 and 10 hosts")
    parser.add_argument("--work", action="append", choices=list(works()), help="only this work (repeat for several)")
    parser.add_argument("--hosts", action="append", type=int, help="only with so many hosts")
    parser.add_argument("--peers", default="", help="only these, separated by commas: " + ",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--growth", action="store_true", help="also cost per host and per task")
    return parser.parse_args()


def measured(hosts: Hosts, work: Work, count: int, latency: float, names: list[str], rounds: int) -> dict[str, Any]:
    """One row of the table; a peer that fails is named, and left out."""
    entry: dict[str, Any] = {
        "work": work.name,
        "hosts": count,
        "latency": latency,
        "at": time.time(),
        "peers": {},
        "failed": {},
    }
    with cable(hosts.port, latency) as (cable_port, _):
        job = Job(hosts, work, count, cable_port if latency else hosts.port)
        share = {name: min(rounds, FEWER.get(name, rounds)) for name in names}
        entry["peers"] = medians(attempt([PEERS[name] for name in names], job, share, entry["failed"]))
        if not latency and count == 1 and not work.first:
            for name in [name for name in entry["peers"] if not name.startswith("ansible")]:  # that one takes minutes
                entry["peers"][name]["wire"] = wire(PEERS[name], job)
    return entry


def attempt(peers: list[Peer], job: Job, rounds: dict[str, int], failed: dict[str, str]) -> dict[str, list[Any]]:
    samples: dict[str, list[Any]] = {}
    try:
        return interleaved(peers, job, rounds)
    except Failed as error:
        print(error, file=sys.stderr)
    for peer in peers:  # one by one, so that one peer's failure costs only its own row
        try:
            samples.update(interleaved([peer], job, rounds))
        except Failed as error:
            failed[peer.name] = str(error)[:300]
    return samples


def wire(peer: Peer, job: Job) -> dict[str, float]:
    try:
        return counted(peer, job)
    except Failed:
        return {}


if __name__ == "__main__":
    sys.exit(main())
