"""The peers, each in an environment of its own and set as its own documentation advises for speed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.hosts import Hosts
from bench.works import Work

ENVIRONMENTS = Path(__file__).parent / ".envs"
PACKAGES = {
    "ansible": ["ansible-core==2.19.*"],
    "mitogen": ["ansible-core==2.19.*", "mitogen==0.3.*"],
    "pyinfra": ["pyinfra==3.*"],
}
ANSIBLE_CFG = """[defaults]
forks = {forks}
host_key_checking = False
retry_files_enabled = False
{more}
[ssh_connection]
pipelining = {pipelining}
"""
SSH = "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"


@dataclass(frozen=True)
class Job:
    """One work on so many hosts at the end of one cable."""

    hosts: Hosts
    work: Work
    count: int
    port: int


@dataclass(frozen=True)
class Peer:
    name: str
    package: str
    command: Callable[[Job], tuple[list[str], dict[str, str]]]


def install(package: str) -> None:
    """Makes the environment where it is not there yet."""
    folder = ENVIRONMENTS / package
    done = folder / "installed"
    wanted = "\n".join(PACKAGES[package])
    if done.exists() and done.read_text() == wanted:
        return
    print(f"installing {', '.join(PACKAGES[package])}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run(
        [folder / "bin/pip", "install", "--quiet", *PACKAGES[package]], check=True, stderr=subprocess.DEVNULL
    )
    done.write_text(wanted)


def version(package: str) -> str:
    code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    name = {"ansible": "ansible-core"}.get(package, package)
    asked = [str(ENVIRONMENTS / package / "bin/python"), "-c", code, name]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def limit(job: Job) -> tuple[list[str], dict[str, str]]:
    """One script a host over one ssh each, all at once, from a shell."""
    source = shlex.quote(f"{job.hosts.folder}/{job.work.stdin}") if job.work.stdin else "/dev/null"
    script = shlex.quote(f"{job.hosts.folder}/{job.work.name}.sh")
    lines = [f"text=$(cat {script})"]
    for i in range(job.count):
        target = f"-i {job.hosts.key} -p {job.port} {job.hosts.user}@{job.hosts.address(i)}"
        lines.append(f'{SSH} {target} "base={job.hosts.base(i)}; $text" < {source} > /dev/null & pids="$pids $!"')
    lines.append("code=0; for p in $pids; do wait $p || code=1; done; exit $code\n")
    driver = job.hosts.folder / f"limit-{job.work.name}-{job.count}.bash"
    driver.write_text("\n".join(lines))
    return ["bash", str(driver)], {}


def scp(job: Job) -> tuple[list[str], dict[str, str]]:
    """The work's large file by one scp a host, all at once."""
    lines = []
    for i in range(job.count):
        source, target = f"{job.hosts.folder}/{job.work.stdin}", f"{job.hosts.user}@{job.hosts.address(i)}:{job.hosts.base(i)}-big"
        lines.append(f'{SSH.replace("ssh", "scp -q", 1)} -i {job.hosts.key} -P {job.port} {source} {target} & pids="$pids $!"')
    lines.append("code=0; for p in $pids; do wait $p || code=1; done; exit $code\n")
    driver = job.hosts.folder / f"scp-{job.count}.bash"
    driver.write_text("\n".join(lines))
    return ["bash", str(driver)], {}


def opsplay(job: Job) -> tuple[list[str], dict[str, str]]:
    program = Path(sys.executable).parent / "opsplay"
    inventory = str(job.hosts.inventory(job.count, job.port))
    return [str(program), "run", "-q", "-i", inventory, f"{job.work.name}.yml"], {}


def ansible(package: str, pipelining: bool, more: str = "") -> Callable[[Job], tuple[list[str], dict[str, str]]]:
    def command(job: Job) -> tuple[list[str], dict[str, str]]:
        path = job.hosts.folder / f"{package}-{pipelining}-{job.count}.cfg"
        path.write_text(ANSIBLE_CFG.format(forks=min(job.count, 50), pipelining=pipelining, more=more))
        inventory = str(job.hosts.inventory(job.count, job.port))
        program = str(ENVIRONMENTS / package / "bin/ansible-playbook")
        return [program, "-i", inventory, f"{job.work.name}.yml"], {"ANSIBLE_CONFIG": str(path)}

    return command


def mitogen_settings() -> str:
    folder = next(ENVIRONMENTS.glob("mitogen/lib/python3*/site-packages/ansible_mitogen/plugins/strategy"), "")
    return f"strategy_plugins = {folder}\nstrategy = mitogen_linear"


def mitogen(job: Job) -> tuple[list[str], dict[str, str]]:
    return ansible("mitogen", True, mitogen_settings())(job)


def pyinfra(job: Job) -> tuple[list[str], dict[str, str]]:
    path = job.hosts.folder / f"pyinfra_{job.count}_{job.port}.py"
    rows = [
        (job.hosts.address(i), {"ssh_port": job.port, "ssh_user": job.hosts.user, "ssh_key": str(job.hosts.key),
                                "ssh_strict_host_key_checking": "off", "ssh_known_hosts_file": "/dev/null", "base": job.hosts.base(i)})
        for i in range(job.count)
    ]  # fmt: skip
    path.write_text(f"hosts = {rows!r}\n")
    program = str(ENVIRONMENTS / "pyinfra/bin/pyinfra")
    return [program, "-y", "--parallel", str(job.count), str(path), f"{job.work.name}.py"], {}


PEERS = {
    peer.name: peer
    for peer in (
        Peer("limit", "", limit),
        Peer("scp", "", scp),
        Peer("opsplay", "", opsplay),
        Peer("pyinfra", "pyinfra", pyinfra),
        Peer("mitogen", "mitogen", mitogen),
        Peer("ansible-pipelining", "ansible", ansible("ansible", True)),
        Peer("ansible", "ansible", ansible("ansible", False)),
    )
}


def environment(hosts: Hosts, more: dict[str, str]) -> dict[str, str]:
    """A clean one: nobody's settings, a home of the bench's own."""
    home = hosts.folder / "controller"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb", **more}
