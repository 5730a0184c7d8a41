"""Measuring one run: wall, CPU of the controller and of the hosts, memory, and (on a counting cable) messages."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.peers import PEERS, Job, Peer, environment

LIMIT_SECONDS = 1200


@dataclass
class Sample:
    wall: float
    controller: float  # seconds of user and system time, all processes
    remote: float  # the same of everything below the hosts' sshd
    memory: float  # MB of the controller's largest process
    code: int


class Failed(Exception):
    """A peer's run ended with an error: the figures would say nothing."""


def run_once(peer: Peer, job: Job) -> Sample:
    job.hosts.owner = peer.name
    command, more = peer.command(job)
    log = job.hosts.folder / f"log-{peer.name}"
    before = job.hosts.cpu()
    with log.open("wb") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=job.hosts.folder, env=environment(job.hosts, more), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        old = signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(LIMIT_SECONDS)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log.read_text(errors="replace")[-1500:]
        raise Failed(f"{peer.name} on {job.work.name} with {job.count} hosts ended with {process.returncode}:\n{tail}")
    time.sleep(0.15 if peer.name in ("limit", "opsplay") else 0.5)  # sessions end, and are counted
    return Sample(
        wall, usage.ru_utime + usage.ru_stime, job.hosts.cpu() - before, usage.ru_maxrss / 1024, process.returncode
    )


def interleaved(peers: list[Peer], job: Job, rounds: dict[str, int]) -> dict[str, list[Sample]]:
    """Round after round, every peer once: what else the machine does hits all alike."""
    samples: dict[str, list[Sample]] = {peer.name: [] for peer in peers}
    for peer in peers:
        fresh(peer, job)
        if not job.work.first:
            prepare(peer, job)
    for number in range(max(rounds.values())):
        for peer in peers:
            if number < rounds[peer.name]:
                if job.work.first:
                    fresh(peer, job)
                samples[peer.name].append(run_once(peer, job))
    return samples


def prepare(peer: Peer, job: Job) -> None:
    """From here on the hosts are what the work wants. Ansible would take minutes, and its play is the same as ours."""
    if peer.name.startswith("ansible"):
        run_once(dataclasses.replace(PEERS["opsplay"], name=peer.name), job)
    else:
        run_once(peer, job)


def fresh(peer: Peer, job: Job) -> None:
    job.hosts.owner = peer.name
    job.hosts.wipe()


def medians(samples: dict[str, list[Sample]]) -> dict[str, dict[str, float]]:
    fields = ("wall", "controller", "remote", "memory")
    return {
        name: {field: round(statistics.median(getattr(sample, field) for sample in rows), 4) for field in fields}
        | {"fastest": round(min(sample.wall for sample in rows), 4), "rounds": len(rows)}
        for name, rows in samples.items()
        if rows
    }


@contextlib.contextmanager
def cable(port: int, round_trip: float) -> Iterator[tuple[int, dict[str, float]]]:
    """A relay in a process of its own; its counts are there when it is gone."""
    program = Path(__file__).parent / "relay.py"
    process = subprocess.Popen([sys.executable, program, str(port), str(round_trip)], stdout=subprocess.PIPE, text=True)
    counts: dict[str, float] = {}
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), counts
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=10)
        with contextlib.suppress(ValueError):
            counts.update(json.loads(said.splitlines()[-1]))


def counted(peer: Peer, job: Job) -> dict[str, float]:
    """Messages and round trips of one second run, a host."""
    with cable(job.port, 0) as (port, counts):
        run_once(peer, Job(job.hosts, job.work, job.count, port))
    return {name: round(value / job.count, 1) for name, value in counts.items()}
