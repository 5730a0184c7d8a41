"""A throw-away overlay of a root in namespaces of its own, offline, in which a target may do what it likes. Root only."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
SECONDS = 150.0


@dataclass(frozen=True)
class Root:
    """The lower layer: this machine's own root, or one that root.py made. `python` runs opsplay and the modules in it."""

    path: str = "/"
    python: str = sys.executable
    wheels: str = ""


@dataclass(frozen=True)
class Outcome:
    target: str
    status: int
    log: str
    recap: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.status == 0


def run_target(name: str, checkout: Path, root: Root, seconds: float = SECONDS) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="conformance-", dir="/var/tmp") as place:
        command = ["unshare", "-m", "-u", "-i", "-p", "-f", "-n", "--mount-proc", "bash", "-euc", inside(name, checkout, root, place, seconds)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + 60, check=False
        )
    log = done.stdout.decode("utf-8", "replace")
    last = [line for line in log.splitlines() if line.startswith("conformance: {")][-1:]
    if not last:
        return Outcome(name, done.returncode or 1, log)
    said = json.loads(last[0].removeprefix("conformance: "))
    return Outcome(name, int(said["status"]), log, said["recap"])


def inside(name: str, checkout: Path, root: Root, place: str, seconds: float) -> str:
    """The script that mounts the overlay, starts an sshd for targets that need one, and runs target.py in it."""
    m = f"{place}/root"
    binds = {str(PROJECT): "ro", str(checkout): "ro", str(Path(sys.base_prefix)): "ro", **({root.wheels: "ro"} if root.wheels else {})}
    lines = [
        f"mkdir {place}/layers {m}", f"mount -t tmpfs -o size=2g tmpfs {place}/layers", f"mkdir {place}/layers/upper {place}/layers/work",
        f"mount -t overlay -o lowerdir={root.path},upperdir={place}/layers/upper,workdir={place}/layers/work overlay {m}",
        f"mount -t proc proc {m}/proc", f"mount -t sysfs sysfs {m}/sys", f"mount --rbind /dev {m}/dev",
        f"mount -t tmpfs tmpfs {m}/run", f"mkdir -p {m}/run/sshd", f"mount -t tmpfs tmpfs {m}/tmp", f"chmod 1777 {m}/tmp",
    ]  # fmt: skip
    for folder in binds:
        lines += [f"mkdir -p {m}{folder}", f"mount --bind {folder} {m}{folder}", f"mount -o remount,bind,ro {m}{folder}"]
    tools = "/run/conformance-tools"
    environment = f"HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PIP_NO_INDEX=1 PIP_FIND_LINKS={root.wheels}"
    enter = f"chroot {m} env -i {environment}"
    shims = f"from opsplay.cli.main import main; import sys; sys.argv = ['opsplay', 'shims', '{tools}']; main()"
    run = [root.python, str(HERE / "target.py"), name, str(checkout), tools, root.python, str(seconds)]
    lines += [
        "ip link set lo up", "hostname testbox", f"echo '127.0.0.1 localhost testbox' > {m}/etc/hosts",
        f"mkdir -p -m 700 {m}/root/.ssh", f"rm -f {m}/root/.ssh/id_ed25519", f"ssh-keygen -q -t ed25519 -N '' -f {m}/root/.ssh/id_ed25519",
        f"cat {m}/root/.ssh/id_ed25519.pub >> {m}/root/.ssh/authorized_keys",
        f"{enter} ssh-keygen -A >/dev/null; {enter} /usr/sbin/sshd || true",
        f"{enter} PYTHONPATH={PROJECT} {root.python} -c {shlex.quote(shims)} >/dev/null || true",
        f"sed -i 's#^exec #export PYTHONPATH={PROJECT}\\nexec #' {m}{tools}/ansible*",
        f"exec {enter} {shlex.join(run)}",
    ]  # fmt: skip
    return "\n".join(lines)


def possible() -> str:
    """Why targets cannot be isolated here; empty where they can."""
    if os.geteuid() != 0:
        return "isolating a target needs root: overlay mounts and namespaces"
    tried = subprocess.run(["unshare", "-m", "-p", "-f", "-n", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"namespaces cannot be made here: {tried.stderr.strip()}"
