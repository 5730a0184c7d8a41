"""The lab of an ordinary user: driven by one who is made for the test, when the tests run as root."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_traces import traces_of

import opsplay

Drive = Callable[[str], dict[str, object]]

# Runs as the user: the body sees `lab`, `ssh(host, command)` and puts what it found into `out`.
FRAME = """
import json, os, subprocess, sys
from opsplay.errors import OpsError
from opsplay.lab import down, status, up
folder = os.path.join(os.environ["HOME"], "lab")
def ssh(host, command, seconds=5):
    words = ["timeout", str(seconds), "ssh", "-F", str(lab.ssh_config), host, command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return [done.returncode, done.stdout]
out = {{}}
lab = up(dir=folder, hosts={hosts!r}) if {up} else status(folder)
out["id"] = lab.id
{body}
print(json.dumps(out))
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The home of an ordinary user; as root, of one who is removed again afterwards."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    name = f"labtest{os.getpid()}"
    folder = Path("/tmp") / name
    subprocess.run(["useradd", "-m", "-d", str(folder), "-s", "/bin/bash", name], check=True, timeout=30)
    try:
        yield folder
    finally:
        subprocess.run(["userdel", name], check=False, timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def drive(home: Path) -> Iterator[Drive]:
    """Run a body of FRAME as that user; whatever is left is taken down at the end."""

    def run(
        body: str, *, up: bool = False, hosts: object = ("web1", "db1", "cache1"), path: str = ""
    ) -> dict[str, object]:
        return driven(home, FRAME.format(body=body, up=up, hosts=hosts), path)

    yield run
    driven(home, "from opsplay.lab import down\nprint(len(down(all=True)))", "")


def driven(home: Path, program: str, path: str) -> dict[str, object]:
    site = sysconfig.get_paths()["purelib"]
    source = str(Path(opsplay.__file__).parent.parent)
    environment = {
        "HOME": str(home),
        "PATH": path or "/usr/bin:/bin",
        "PYTHONPATH": f"{source}:{site}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [*as_user(home), python(), "-c", program]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=90, cwd=home, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def as_user(home: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    account = pwd.getpwuid(home.stat().st_uid)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups"]


def python() -> str:
    """As the user: root's own interpreter may lie where nobody else may look."""
    same = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return same if os.geteuid() == 0 and Path(same).exists() else sys.executable


def test_an_ordinary_user_gets_hosts_of_the_same_shape(drive: Drive, home: Path) -> None:
    found = drive(
        """
out["kind"], out["notes"] = lab.kind, " ".join(lab.notes)
out["ssh"] = [ssh(host.name, "id -un; ls $LAB_ROOT/var/log/app | wc -l") for host in lab.hosts]
out["root"] = lab.run("web1", "ls srv").stdout
""",
        up=True,
    )
    user = pwd.getpwuid(home.stat().st_uid).pw_name
    assert found["kind"] == "reduced"
    assert "no systemd, sudo or apt" in str(found["notes"])
    assert found["ssh"] == [[0, f"{user}\n10\n"]] * 3
    assert found["root"] == "app\nprecious\n"
    inventory = (home / "lab" / "inventory" / "hosts.yml").read_text()
    assert "ansible_port" in inventory and "lab_root" in inventory


def test_its_servers_are_real_and_hold_data(drive: Drive) -> None:
    found = drive(
        """
import socket
facts = lab.services["db1"]["postgresql"]
ask = [facts["binaries"] + "/psql", "-qAtX", "-c", "SELECT count(*) FROM orders"]
reach = {"PGHOST": facts["host"], "PGPORT": str(facts["port"]), "PGUSER": "app", "PGPASSWORD": "app-lab", "PGDATABASE": "app"}
out["orders"] = subprocess.run(ask, env={**os.environ, **reach}, capture_output=True, text=True).stdout
redis = lab.services["cache1"]["redis"]
with socket.create_connection((redis["host"], redis["port"])) as connection:
    connection.sendall(b"DBSIZE\\r\\n")
    out["keys"] = connection.recv(64).decode()
out["dumps"] = ssh("db1", "ls $LAB_ROOT/var/backups/postgresql | wc -l")
""",
        up=True,
    )
    assert found["orders"] == "20000\n"
    assert found["keys"] == ":500\r\n"
    assert found["dumps"] == [0, "15\n"]


def test_its_faults_are_those_of_the_ssh_server(drive: Drive) -> None:
    found = drive(
        """
lab.fault("web1", "sshd", "kill"); out["killed"] = ssh("web1", "echo on")
lab.fault("web1", "sshd", "stop"); out["stopped"] = ssh("web1", "echo on")
lab.fault("web1", "sshd", "start"); out["started"] = ssh("web1", "echo on")
lab.fault("web1", "partition", "on"); out["cut"] = ssh("web1", "echo on", 1); out["other"] = ssh("web2", "echo on")
lab.reset("web1"); out["mended"] = ssh("web1", "echo on")
try: lab.fault("web1", "reboot")
except OpsError as error: out["refused"] = error.code
""",
        up=True,
        hosts=["web1", "web2"],
    )
    on = [0, "on\n"]
    assert [found[key] for key in ("killed", "started", "other", "mended")] == [on] * 4
    assert found["stopped"] == [255, ""]
    assert found["cut"] == [124, ""]
    assert found["refused"] == "lab-fault-needs-root"


def test_it_goes_without_a_trace_with_sessions_open_and_servers_killed(drive: Drive, home: Path) -> None:
    found = drive(
        """
command = "nohup setsid sleep 4321 >/dev/null 2>&1 & echo on; sleep 4322"
session = subprocess.Popen(["ssh", "-F", str(lab.ssh_config), "web1", command], stdout=subprocess.PIPE, text=True)
session.stdout.readline()
import signal
from opsplay.lab.user_processes import lab_processes
for pid in lab_processes(lab.home, set()):
    line = open(f"/proc/{pid}/cmdline").read()
    if "[listener]" in line and "web1" in line or "bin/postgres" in line:
        os.kill(pid, signal.SIGKILL)
out["gone"] = down(lab)
out["session"] = session.wait(10)
out["files"] = sorted(os.listdir(os.environ["HOME"]))
out["segments"] = subprocess.run(["ipcs", "-m", "-c"], capture_output=True, text=True).stdout
""",
        up=True,
    )
    assert found["gone"] == [found["id"]]
    assert found["session"] == 255
    assert "lab" not in found["files"]  # type: ignore[operator]
    assert traces_of(str(found["id"])) == []
    assert pwd.getpwuid(home.stat().st_uid).pw_name[:10] not in str(found["segments"])


def test_asyncssh_stands_in_where_there_is_no_sshd(home: Path, drive: Drive) -> None:
    found = drive(
        """
from opsplay.lab import user_sshd
assert user_sshd.sshd_binary()
down(lab)
user_sshd.sshd_binary = lambda: None
lab = up(dir=folder, hosts=["web1"])
out["id"] = lab.id
out["exec"] = ssh("web1", "echo out; echo err >&2; exit 7")
out["much"] = ssh("web1", "head -c 3000000 /dev/zero | tr '\\\\0' x")[1].count("x")
words = ["ssh", "-F", str(lab.ssh_config), "web1", "wc -c"]
out["stdin"] = subprocess.run(words, input="y" * 500000, capture_output=True, text=True, timeout=20).stdout.strip()
open(folder + "/../sent", "w").write("sent")
for name, words in {"scp": [], "old scp": ["-O"]}.items():
    copy = ["scp", "-q", *words, "-F", str(lab.ssh_config), folder + "/../sent", "web1:copy"]
    out[name] = [subprocess.run(copy, timeout=20).returncode, ssh("web1", "cat copy; rm copy")[1]]
out["gone"] = down(lab)
""",
        up=True,
        hosts=["web1"],
    )
    assert found["exec"] == [7, "out\n"]
    assert found["much"] == 3000000
    assert found["stdin"] == "500000"
    assert found["scp"] == found["old scp"] == [0, "sent"]
    assert found["gone"] == [found["id"]]
    assert traces_of(str(found["id"])) == []
