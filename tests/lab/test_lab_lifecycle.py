"""Labs come up and go without a trace, also when something is killed in the middle; two of them never meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_traces import ssh, traces_of

from opsplay.errors import OpsError
from opsplay.lab import Lab, down, status, up
from opsplay.lab.cgroups import processes_in
from opsplay.lab.guest import leader_of
from opsplay.lab.image import cache_root
from opsplay.lab.ledger import labs_found

pytestmark = pytest.mark.usefixtures("own_labs")


@pytest.fixture
def own_labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home for labs that no other lab of this user is in, so that `down --all` means ours."""
    if os.geteuid() != 0:
        pytest.fail("these tests make real hosts: run them as root")
    monkeypatch.setenv("OPSPLAY_LAB_HOME", str(tmp_path / "labs"))
    yield
    down(all=True)


def ids() -> list[str]:
    return [home.name for home in labs_found()]


def test_down_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "lab"
    lab = up(dir=folder, hosts=["web1", "cache1"])
    lab.fault("web1", "latency", "5ms")
    lab.fault("cache1", "partition", "on")
    assert len(traces_of(lab.id)) > 10
    assert down(lab) == [lab.id]
    assert traces_of(lab.id) == []
    assert not folder.exists()
    assert down(folder) == []


def test_down_keeps_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    lab = up(dir=tmp_path, hosts=["web1"])
    down(lab)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labs", "notes.txt"]


def test_two_labs_do_not_meet(tmp_path: Path) -> None:
    one = up(dir=tmp_path / "one", hosts=["web1"])
    two = up(dir=tmp_path / "two", hosts=["web1"])
    assert one.host("web1").address.rpartition(".")[0] != two.host("web1").address.rpartition(".")[0]
    assert one.run("web1", f"ping -c 1 -W 1 {two.host('web1').address}", check=False).returncode != 0
    assert ssh(one.ssh_config, "web1", "echo one").stdout == "one\n"
    down(one)
    assert ssh(two.ssh_config, "web1", "echo two").stdout == "two\n"
    assert traces_of(one.id) == []


def test_up_twice_is_the_same_lab_and_other_hosts_are_an_error(tmp_path: Path) -> None:
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    assert up(dir=tmp_path / "lab") == lab == status(tmp_path / "lab")
    with pytest.raises(OpsError) as raised:
        up(dir=tmp_path / "lab", hosts=["web1", "db1"])
    assert raised.value.code == "lab-already-up"


@pytest.mark.parametrize("moment", [0.15, 0.3, 0.5, 0.8])
def test_a_killed_up_is_cleared(tmp_path: Path, moment: float) -> None:
    program = f"from opsplay.lab import up; up(dir={str(tmp_path / 'lab')!r}, hosts=['web1', 'web2', 'cache1'])"
    process = subprocess.Popen([sys.executable, "-c", program])
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    left = ids()
    assert down(all=True) == left
    assert [trace for lab_id in left for trace in traces_of(lab_id)] == []


def test_up_clears_what_a_killed_up_left(tmp_path: Path) -> None:
    program = f"from opsplay.lab import up; up(dir={str(tmp_path / 'lab')!r}, hosts=['web1'])"
    process = subprocess.Popen([sys.executable, "-c", program])
    while not (tmp_path / "lab" / "keys" / "host-web1").exists():
        time.sleep(0.01)
    process.kill()
    process.wait(10)
    (broken,) = ids()
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    assert traces_of(broken) == []
    assert ids() == [lab.id]


@pytest.mark.parametrize("victim", ["supervisor", "keeper", "guest", "everything"])
def test_down_works_after_a_kill(tmp_path: Path, victim: str) -> None:
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    lab.fault("web1", "latency", "1ms")
    for pid in victims(lab, victim):
        os.kill(pid, signal.SIGKILL)
    down(lab)
    assert traces_of(lab.id) == []


def victims(lab: Lab, victim: str) -> set[int]:
    home = lab.host("web1").home
    supervisor, leader = int((home / "pid").read_text()), leader_of(home)
    assert leader
    everything = processes_in(f"opsplay-lab-{lab.id}")
    keeper = {pid for pid in everything if b"keeper.sh" in Path(f"/proc/{pid}/cmdline").read_bytes()}
    known = {"supervisor": {supervisor}, "keeper": keeper, "guest": {leader}, "everything": everything}
    assert known[victim]
    return known[victim]


def test_a_lab_whose_folder_was_deleted_is_still_found(tmp_path: Path) -> None:
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    subprocess.run(["rm", "-rf", str(tmp_path / "lab")], check=True, timeout=10)
    assert down(tmp_path / "lab") == []
    assert down(all=True) == [lab.id]
    assert traces_of(lab.id) == []


def test_a_failing_up_removes_what_it_made_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsplay.lab.readiness.BOOTED", "sleep 1; false")
    monkeypatch.setattr("opsplay.lab.real.READY_WITHIN", 3)
    with pytest.raises(OpsError) as raised:
        up(dir=tmp_path / "lab", hosts=["web1"])
    assert raised.value.code == "lab-host-not-ready"
    assert ids() == []
    assert not (tmp_path / "lab").exists()


def test_a_small_root_file_system_can_be_filled(tmp_path: Path) -> None:
    lab = up(dir=tmp_path / "lab", hosts=["web1"], root_size="64m")
    lab.fault("web1", "disk-full", "on", path="/")
    full = lab.run("web1", "cat /etc/hostname > /root/more", check=False)
    assert "No space left on device" in full.stderr
    lab.reset("web1")
    lab.run("web1", "echo more > /root/more")
    lab.recreate("web1")
    assert lab.run("web1", "test -e /root/more", check=False).returncode == 1


def test_a_foreign_inventory_is_not_touched(tmp_path: Path) -> None:
    foreign = tmp_path / "inventory"
    foreign.mkdir()
    (foreign / "hosts.yml").write_text("all: {hosts: {production: }}\n")
    with pytest.raises(OpsError) as raised:
        up(dir=tmp_path / "lab", hosts=["web1"], inventory=foreign)
    assert raised.value.code == "lab-inventory-not-ours"
    assert "production" in (foreign / "hosts.yml").read_text()
    assert ids() == []


def test_status_without_a_lab_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as raised:
        status(tmp_path)
    assert raised.value.code == "lab-not-up"
    assert "opsplay lab up" in raised.value.remedy


def test_a_lab_that_did_not_survive_a_restart_of_the_machine_is_started_anew(tmp_path: Path) -> None:
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    subprocess.run(["ip", "link", "delete", f"opl{lab.id}"], check=True, timeout=10)
    with pytest.raises(OpsError, match="does not run any more"):
        status(tmp_path / "lab")
    again = up(dir=tmp_path / "lab", hosts=["web1"])
    assert again.id != lab.id
    assert traces_of(lab.id) == []


def test_who_used_sudo_owns_the_key_and_the_inventory_but_not_the_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12345")
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    theirs = [lab.dir, lab.host("web1").key, lab.known_hosts, lab.inventory_path / "hosts.yml"]
    assert {path.stat().st_uid for path in theirs} == {12345}
    assert lab.home.stat().st_uid == 0


def test_others_cannot_look_into_the_hosts_file_systems(tmp_path: Path) -> None:
    lab = up(dir=tmp_path / "lab", hosts=["web1"])
    for path in (lab.home, lab.dir, lab.dir / "keys" / "id_ed25519", cache_root()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_twenty_hosts_come_up_quickly(tmp_path: Path) -> None:
    started = time.monotonic()
    lab = up(dir=tmp_path / "lab", hosts=20)
    took = time.monotonic() - started
    assert [host.name for host in lab.hosts if not lab.is_on(host.name)] == []
    assert len(lab.hosts) == 20
    assert took < 30
    started = time.monotonic()
    down(lab)
    assert time.monotonic() - started < 10
    assert traces_of(lab.id) == []
