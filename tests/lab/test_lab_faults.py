"""Each fault does what it says, and ends."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable

import pytest
from lab_traces import ssh

from opsplay.errors import OpsError
from opsplay.lab import Lab
from opsplay.lab.readiness import greets

HOST = "web1"


@pytest.fixture(autouse=True)
def mended(lab_host_reset: Callable[[str], None]) -> None:
    lab_host_reset(HOST)


def round_trip(lab: Lab) -> tuple[float, int]:
    """Average milliseconds and received of 20 pings from the host to the controller."""
    said = lab.run(HOST, f"ping -q -i 0.02 -c 20 -W 1 {lab.controller_address}", check=False).stdout
    received = int(said.split(" received")[0].split()[-1])
    return (float(said.rsplit("=", 1)[1].split("/")[1]) if received else -1.0), received


def open_session(lab: Lab, command: str) -> subprocess.Popen[str]:
    words = ["ssh", "-F", str(lab.ssh_config), HOST, command]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def test_a_partition_drops_everything_and_sessions_survive_it(lab: Lab) -> None:
    session = open_session(lab, "read line; echo got $line")
    assert session.stdin and session.stdout
    time.sleep(0.5)
    lab.fault(HOST, "partition", "on")
    address = lab.host(HOST).address
    with pytest.raises(TimeoutError), socket.create_connection((address, 22), 0.5):
        pass
    session.stdin.write("through\n")
    lab.fault(HOST, "partition", "off")
    assert session.stdout.readline() == "got through\n"
    assert session.wait(10) == 0
    assert lab.faults(HOST) == {}


def test_latency_comes_and_goes_under_an_open_connection(lab: Lab) -> None:
    session = open_session(lab, "cat")
    assert session.stdin and session.stdout
    session.stdin.write("one\n")
    assert session.stdout.readline() == "one\n"
    lab.fault(HOST, "latency", "40ms")
    average, received = round_trip(lab)
    assert 40 <= average < 60
    assert received == 20
    session.stdin.write("two\n")
    assert session.stdout.readline() == "two\n"
    lab.fault(HOST, "latency", "10ms")
    assert 10 <= round_trip(lab)[0] < 20
    lab.fault(HOST, "latency", "off")
    assert round_trip(lab)[0] < 5
    session.stdin.write("three\n")
    assert session.stdout.readline() == "three\n"
    session.stdin.close()
    assert session.wait(10) == 0


def test_loss_loses(lab: Lab) -> None:
    lab.fault(HOST, "latency", "1ms", loss="50%")
    received = sum(round_trip(lab)[1] for _ in range(3))
    assert 1 <= received <= 35


def test_only_the_host_asked_for_is_slow(lab: Lab) -> None:
    lab.fault(HOST, "latency", "100ms")
    started = time.monotonic()
    assert greets(lab.host("web2").address, 22)
    assert time.monotonic() - started < 0.1


def test_a_killed_sshd_ends_sessions_and_comes_back(lab: Lab) -> None:
    session = open_session(lab, "echo on; cat")
    assert session.stdout and session.stdout.readline() == "on\n"
    lab.fault(HOST, "sshd", "kill")
    assert session.wait(10) == 255
    lab.wait_ready(HOST, 10)
    assert ssh(lab.ssh_config, HOST, "echo back").stdout == "back\n"


def test_a_stopped_sshd_stays_down_and_the_host_is_still_reached_out_of_band(lab: Lab) -> None:
    lab.fault(HOST, "sshd", "stop")
    time.sleep(0.5)
    assert not greets(lab.host(HOST).address, 22)
    assert lab.run(HOST, "echo here").stdout == "here\n"
    assert "sshd" in lab.faults(HOST)
    lab.fault(HOST, "sshd", "start")
    lab.wait_ready(HOST, 10)
    assert lab.faults(HOST) == {}


def test_a_full_disk_is_full_to_the_last_byte(lab: Lab) -> None:
    lab.fault(HOST, "disk-full", "on")
    refused = ssh(lab.ssh_config, HOST, "echo something > /srv/data/file")
    assert "No space left on device" in refused.stderr
    lab.fault(HOST, "disk-full", "off")
    assert ssh(lab.ssh_config, HOST, "echo something > /srv/data/file && rm /srv/data/file").returncode == 0


def test_the_disk_of_this_machine_is_not_filled(lab: Lab) -> None:
    with pytest.raises(OpsError, match="must not be filled") as raised:
        lab.fault(HOST, "disk-full", "on", path="/")
    assert "--root-size" in raised.value.remedy


def test_a_shifted_clock_is_seen_by_programs_and_their_sleeps_stay_true(lab: Lab) -> None:
    lab.fault(HOST, "clock", "+3h")
    program = "import time; a = time.monotonic(); time.sleep(0.1); print(time.time(), time.monotonic() - a)"
    for become in ("", "sudo -n ", "sudo -n -u operator "):
        words = ssh(lab.ssh_config, HOST, f"{become}python3 -I -S -c '{program}'").stdout.split()
        assert abs(float(words[0]) - time.time() - 3 * 3600) < 5
        assert 0.1 <= float(words[1]) < 0.5
    lab.fault(HOST, "clock", "off")
    assert abs(float(ssh(lab.ssh_config, HOST, "date +%s").stdout) - time.time()) < 5


def test_a_clock_steps_under_a_running_program(lab: Lab) -> None:
    lab.fault(HOST, "clock", "+0s")
    program = "import time\nwhile input(): print(time.time(), flush=True)"
    session = open_session(lab, f"python3 -I -S -c '{program}'")
    assert session.stdin and session.stdout
    session.stdin.write("now\n")
    assert abs(float(session.stdout.readline()) - time.time()) < 5
    lab.fault(HOST, "clock", "-1h")
    session.stdin.write("now\n")
    assert abs(float(session.stdout.readline()) - time.time() + 3600) < 5
    session.kill()
    session.wait(10)


def test_a_reboot_is_a_new_boot_on_the_same_disk(lab: Lab) -> None:
    before = lab.run(HOST, "echo kept > /root/kept; cat /proc/sys/kernel/random/boot_id").stdout
    lab.fault(HOST, "reboot")
    assert lab.run(HOST, "cat /proc/sys/kernel/random/boot_id").stdout != before
    assert lab.run(HOST, "cat /root/kept").stdout == "kept\n"


def test_a_host_may_reboot_itself(lab: Lab) -> None:
    before = lab.run(HOST, "cat /proc/sys/kernel/random/boot_id").stdout
    ssh(lab.ssh_config, HOST, "sudo systemctl reboot")
    deadline = time.monotonic() + 20
    while True:
        done = lab.run(HOST, "cat /proc/sys/kernel/random/boot_id", check=False).stdout
        if done and done != before:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lab.wait_ready(HOST, 20)


def test_power_goes_off_at_once_and_on_again(lab: Lab) -> None:
    lab.fault(HOST, "power", "off")
    assert not greets(lab.host(HOST).address, 22, timeout=0.5)
    assert lab.faults(HOST) == {"power": "powered off"}
    lab.fault(HOST, "power", "on")
    assert ssh(lab.ssh_config, HOST, "echo on").stdout == "on\n"


def test_recreating_a_host_gives_it_a_fresh_disk(lab: Lab) -> None:
    lab.run(HOST, "rm -rf /var/log/app; touch /root/mine")
    lab.recreate(HOST)
    assert lab.run(HOST, "ls /root /var/log/app").stdout.count("app.log") > 0
    assert lab.run(HOST, "test -e /root/mine", check=False).returncode == 1


@pytest.mark.parametrize(
    "wrong",
    [("flood",), ("partition",), ("partition", "maybe"), ("latency", "fast"), ("latency", "-5ms"), ("clock", "later")],
)
def test_a_wrong_fault_is_told_the_right_form(lab: Lab, wrong: tuple[str, ...]) -> None:
    with pytest.raises(OpsError) as raised:
        lab.fault(HOST, *wrong)
    assert raised.value.code == "lab-bad-fault"
    assert "opsplay lab fault HOST" in raised.value.remedy
    assert lab.faults(HOST) == {}


def test_an_unknown_host_is_answered_with_the_known_ones(lab: Lab) -> None:
    with pytest.raises(OpsError) as raised:
        lab.fault("wbe1", "reboot")
    assert raised.value.code == "lab-unknown-host"
    assert 'Did you mean "web1"?' in raised.value.remedy
