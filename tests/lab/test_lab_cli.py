"""The command group `opsplay lab`, as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from opsplay.cli.lab import lab as lab_group
from opsplay.errors import OpsError
from opsplay.lab import Lab


def typed(lab: Lab, *words: str) -> str:
    done = CliRunner().invoke(lab_group, list(words), env={"OPSPLAY_LAB_DIR": str(lab.dir)}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_status_shows_hosts_users_and_faults(lab: Lab) -> None:
    typed(lab, "fault", "web2", "latency", "5ms", "--jitter", "1ms", "--loss", "0.1%")
    said = typed(lab, "status")
    assert "real hosts (systemd-nspawn)" in said
    assert f"db1     {lab.host('db1').address}  db" in said
    assert "5 ms round trip added, jitter 1 ms, loss 0.10% each way" in said
    assert lab.operator_password in said
    assert typed(lab, "fault", "web2", "clear") == "web2: no faults\n"
    assert "round trip" not in typed(lab, "status")


def test_a_clock_can_go_back(lab: Lab) -> None:
    assert "shifted by -5400 s" in typed(lab, "fault", "web2", "clock", "-90m")
    typed(lab, "fault", "web2", "clear")


def test_up_again_says_that_it_is_up(lab: Lab) -> None:
    said = typed(lab, "up", "--inventory", str(lab.inventory_path))
    assert "the lab is up already" in said
    assert "opsplay run -i" in said


def test_ssh_runs_a_command_with_its_own_options(lab: Lab) -> None:
    program = (
        f"from opsplay.cli.lab import lab; lab(['ssh', '--dir', {str(lab.dir)!r}, 'root@web1', 'ls', '-d', '/srv'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "/srv\n", done.stderr


def test_down_of_nothing_is_no_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(lab_group, ["down", "--dir", str(tmp_path)])
    assert (done.exit_code, done.output) == (0, "no lab was up\n")


def test_errors_are_ours(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as raised:
        CliRunner().invoke(lab_group, ["status", "--dir", str(tmp_path)], catch_exceptions=False)
    assert raised.value.render() == (
        f"error: lab-not-up\n\n  no lab is up for {tmp_path}\n\n  Start one: opsplay lab up"
    )


TEST = """
import os, pytest, time
from opsplay.lab.pytest_fixtures import lab, lab_host_reset

@pytest.mark.parametrize("turn", range(4))
def test_of_a_worker(lab, turn):
    with open({out!r}, "a") as out:
        out.write(f"{{os.environ['PYTEST_XDIST_WORKER']}} {{lab.id}}\\n")
    assert lab.run("web1", "echo on").stdout == "on\\n"
    time.sleep(0.3)
"""


def test_workers_of_xdist_share_one_lab_and_the_last_takes_it_down(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.fail("this test makes real hosts: run it as root")
    from lab_traces import traces_of

    (tmp_path / "test_shared.py").write_text(TEST.format(out=str(tmp_path / "seen")))
    environment = {**os.environ, "OPSPLAY_TEST_LAB_HOSTS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in ("OPSPLAY_TEST_LAB", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", "-n", "2", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert len({worker for worker, _ in seen}) == 2
    (lab_id,) = {lab for _, lab in seen}
    assert traces_of(lab_id) == []
