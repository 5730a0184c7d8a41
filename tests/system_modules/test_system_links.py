"""Fault row 42: root writes into the homes of users who swap their folders for links all the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from runs_on_lab import Remote

from opsplay.lab import Lab

HOST = "web2"
ROUNDS = 12
SWAPPER = """
import os, time
os.chdir("/home/mallory")
while True:
    try:
        os.rename(".ssh", ".real")
    except OSError:
        pass
    try:
        os.symlink("/root/prize", ".ssh")
        time.sleep(0.0005)
        os.unlink(".ssh")
    except OSError:
        pass
    try:
        os.rename(".real", ".ssh")
    except OSError:
        pass
    time.sleep(0.0005)
"""


@pytest.fixture
def mallory(lab: Lab) -> Iterator[None]:
    lab.run(HOST, "useradd -m mallory; mkdir -m 755 -p /root/prize; echo secret > /root/prize/authorized_keys;"
                  "chmod 711 /root; su mallory -c 'mkdir -m 700 /home/mallory/.ssh'")
    pid = lab.run(HOST, f"nohup su mallory -c \"python3 -c '{SWAPPER.replace(chr(34), chr(92) + chr(34))}'\" "
                        ">/dev/null 2>&1 & echo $!").stdout.strip()
    yield
    lab.run(HOST, f"pkill -u mallory; kill {pid}; sleep 0.3; userdel -rf mallory; rm -rf /root/prize; chmod 700 /root",
            check=False)


def prize(lab: Lab) -> str:
    return str(lab.run(HOST, "cd /root/prize && stat -c '%n %U %G %a %i' . * && cat *").stdout)


@pytest.mark.parametrize(("module", "args"), [
    ("authorized_key", {"user": "mallory", "key": "ssh-ed25519 AAAA{} x"}),
    ("user", {"name": "mallory", "generate_ssh_key": True, "ssh_key_type": "ed25519", "ssh_key_file": ".ssh/key{}"}),
])
def test_nothing_is_written_or_owned_outside(lab: Lab, remote: Remote, mallory: None, module: str, args: dict[str, str]) -> None:
    before = prize(lab)
    outcomes = {"done": 0, "refused": 0}
    for number in range(ROUNDS):
        given = {key: value.format(number) if isinstance(value, str) else value for key, value in args.items()}
        outcome = remote(HOST, module, given)
        outcomes["refused" if outcome.get("failed") else "done"] += 1
    assert prize(lab) == before
    assert sum(outcomes.values()) == ROUNDS
    print(module, outcomes)
