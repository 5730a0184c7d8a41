"""apt on a lab host: plans that come true, holds, broken packages, unsigned archives, locks and their holders."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from runs_on_lab import Remote

from opsplay.lab import Lab

HOST = "web1"
HOLDER = """
nohup python3 -c '
import fcntl, sys, time
handle = open("/var/lib/dpkg/lock-frontend", "a")
getattr(fcntl, sys.argv[1])(handle, fcntl.LOCK_EX)
time.sleep(float(sys.argv[2]))
' {kind} {seconds} >/dev/null 2>&1 & echo $!
"""


@pytest.fixture(autouse=True, scope="module")
def fresh(lab: Lab) -> None:
    lab.recreate(HOST)


def hold(lab: Lab, kind: str, seconds: float) -> int:
    pid = int(lab.run(HOST, HOLDER.format(kind=kind, seconds=seconds), check=True).stdout)
    time.sleep(0.3)
    return pid


def version(lab: Lab, name: str) -> str:
    run = lab.run(HOST, f"dpkg-query -W -f '${{db:Status-Abbrev}} ${{Version}}' {name}", check=False)
    return str(run.stdout).strip()


def test_installs_upgrades_and_removes(lab: Lab, proved: Remote, remote: Remote) -> None:
    assert proved(HOST, "apt", {"name": ["lab-conf=1.0"]})["changed"]
    assert version(lab, "lab-conf") == "ii  1.0"
    assert not remote(HOST, "apt", {"name": ["lab-conf"]})["changed"]
    assert "lab-conf" in proved(HOST, "apt", {"name": ["lab-conf"], "state": "latest"})["diff"]["prepared"]
    assert version(lab, "lab-conf") == "ii  1.1"
    assert proved(HOST, "apt", {"name": ["lab-conf"], "state": "absent", "purge": True})["changed"]
    assert "lab-conf" not in lab.run(HOST, "dpkg -l 'lab-conf*' || true").stdout.replace("un  lab-conf", "")


def test_a_changed_conffile_is_kept_and_nobody_is_asked(lab: Lab, proved: Remote) -> None:
    proved(HOST, "apt", {"name": ["lab-conf=1.0"]})
    lab.run(HOST, "echo mine >> /etc/lab-conf.conf")
    proved(HOST, "apt", {"name": ["lab-conf"], "state": "latest"})
    assert "mine" in lab.run(HOST, "cat /etc/lab-conf.conf").stdout


def test_wildcards_and_minimum_versions(lab: Lab, remote: Remote) -> None:
    assert not remote(HOST, "apt", {"name": ["lab-hello=1.*"]})["changed"]
    assert remote(HOST, "apt", {"name": ["lab-hello>=1.1"]}, check=True)["changed"]
    missing = remote(HOST, "apt", {"name": ["lab-hello=9.*"]})
    assert missing["failed"] and "lab-hello=9.*" in missing["msg"]
    nothing = remote(HOST, "apt", {"name": ["no-such-package"]})
    assert nothing["failed"] and nothing["msg"] == "No package matching 'no-such-package' is available"


@pytest.mark.parametrize("kind", ["lockf", "flock"])
def test_waits_for_the_lock_and_proceeds(lab: Lab, remote: Remote, kind: str) -> None:
    remote(HOST, "apt", {"name": ["lab-conf"], "state": "absent"})
    hold(lab, kind, 3)
    before = time.monotonic()
    result = remote(HOST, "apt", {"name": ["lab-conf"], "lock_timeout": 20})
    assert result["changed"], result
    assert time.monotonic() - before > 1.5


@pytest.mark.parametrize("kind", ["lockf", "flock"])
def test_names_the_holder_at_the_deadline(lab: Lab, remote: Remote, kind: str) -> None:
    remote(HOST, "apt", {"name": ["lab-conf"], "state": "absent"})
    pid = hold(lab, kind, 60)
    before = time.monotonic()
    result = remote(HOST, "apt", {"name": ["lab-conf"], "lock_timeout": 2})
    assert 1.5 < time.monotonic() - before < 8
    assert result["failed"] and f"process {pid} (python3" in result["msg"], result
    assert lab.run(HOST, "test -e /var/lib/dpkg/lock-frontend && echo there").stdout.strip() == "there"
    assert not remote(HOST, "apt", {"name": ["lab-hello"]}).get("failed"), "nothing to do needs no lock"
    lab.run(HOST, f"kill {pid}")
    assert remote(HOST, "apt", {"name": ["lab-conf"]})["changed"]


def test_waiting_always_ends_well(lab: Lab, remote: Remote) -> None:
    """Fault row 32: holders of both kinds, for random times; all of them are waited for, none of the runs fails."""
    proceeded, rounds = 0, 8
    for number in range(rounds):
        lab.run(HOST, "apt-get purge -y -q lab-conf")
        hold(lab, ("lockf", "flock")[number % 2], random.uniform(0.2, 1.5))
        result = remote(HOST, "apt", {"name": ["lab-conf"], "lock_timeout": 30})
        proceeded += bool(result["changed"]) and version(lab, "lab-conf").startswith("ii")
    assert proceeded == rounds


def test_the_lists_lock_is_waited_for_too(lab: Lab, remote: Remote) -> None:
    holder = HOLDER.format(kind="lockf", seconds=60).replace("dpkg/lock-frontend", "apt/lists/lock")
    pid = int(lab.run(HOST, holder).stdout)
    time.sleep(0.3)
    result = remote(HOST, "apt", {"update_cache": True, "lock_timeout": 1})
    assert result["failed"] and str(pid) in result["msg"], result
    lab.run(HOST, f"kill {pid}")


def test_a_user_who_may_not_lock_is_told_at_once(lab: Lab, remote: Remote) -> None:
    lab.run(HOST, "apt-get purge -y -q lab-conf")
    before = time.monotonic()
    lists = remote(HOST, "apt", {"update_cache": True}, user="deploy")
    package = remote(HOST, "apt", {"name": ["lab-conf"]}, user="deploy")
    assert "Failed to lock apt for exclusive operation" in lists["msg"] and "Permission denied" in lists["msg"]
    assert package["failed"] and "Permission denied" in package["msg"]
    assert time.monotonic() - before < 20


def test_finishes_an_interrupted_dpkg(lab: Lab, remote: Remote) -> None:
    remote(HOST, "apt", {"name": ["lab-conf"], "state": "absent"})
    lab.run(HOST, "touch /var/lib/dpkg/updates/0001")
    result = remote(HOST, "apt", {"name": ["lab-conf"]})
    assert result["changed"] and "dpkg --configure -a" in result["warnings"][0], result


def test_the_upgrade_is_the_plan_and_leaves_held_packages_alone(lab: Lab, proved: Remote) -> None:
    held = version(lab, "lab-held")
    predicted = proved(HOST, "apt", {"upgrade": "dist"})
    assert "lab-hello" in predicted["diff"]["prepared"]
    assert version(lab, "lab-held") == held
    assert version(lab, "lab-hello") == "ii  1.1"


def test_a_held_package_is_changed_only_when_allowed(lab: Lab, remote: Remote) -> None:
    refused = remote(HOST, "apt", {"name": ["lab-held"], "state": "latest"})
    predicted = remote(HOST, "apt", {"name": ["lab-held"], "state": "latest"}, check=True)
    assert refused["failed"] and predicted["failed"] and "Held packages" in refused["msg"], (refused, predicted)
    assert remote(HOST, "apt", {"name": ["lab-held"], "state": "latest", "allow_change_held_packages": True})["changed"]


def test_a_downgrade_is_done_only_when_allowed(lab: Lab, remote: Remote) -> None:
    remote(HOST, "apt", {"name": ["lab-hello"], "state": "latest"})
    for check in (True, False):
        refused = remote(HOST, "apt", {"name": ["lab-hello=1.0"]}, check=check)
        assert refused["failed"] and "downgraded" in refused["msg"], refused
    assert remote(HOST, "apt", {"name": ["lab-hello=1.0"], "allow_downgrade": True})["changed"]


def test_a_broken_postinst_fails_and_is_listed(lab: Lab, remote: Remote) -> None:
    result = remote(HOST, "apt", {"name": ["lab-broken=1.1"]})
    assert result["failed"] and result["broken_packages"] == ["lab-broken"], result
    remote(HOST, "apt", {"name": ["lab-broken"], "state": "absent", "force": True})
    assert not version(lab, "lab-broken").startswith("iF")


def test_unsigned_archives_are_refused(lab: Lab, remote: Remote) -> None:
    folder = "/etc/apt/sources.list.d/lab-unsigned.list"
    lab.run(HOST, f"cp {folder}.disabled {folder}")
    try:
        result = remote(HOST, "apt", {"update_cache": True, "update_cache_retries": 1})
        assert result["failed"] and "not signed" in result["msg"], result
        assert remote(HOST, "apt", {"name": ["lab-unsigned"]})["failed"]
    finally:
        lab.run(HOST, f"rm {folder}; apt-get update -q")


def test_packages_of_unsigned_archives_are_refused_in_check_mode_too(lab: Lab, remote: Remote) -> None:
    folder = "/etc/apt/sources.list.d"
    lab.run(HOST, f"sed 's/^deb /deb [allow-insecure=yes] /' {folder}/lab-unsigned.list.disabled > {folder}/case.list;"
                  "apt-get update -q")
    try:
        for check in (True, False):
            refused = remote(HOST, "apt", {"name": ["lab-unsigned"]}, check=check)
            assert refused["failed"] and refused["unauthenticated"] == ["lab-unsigned"], refused
        assert remote(HOST, "apt", {"name": ["lab-unsigned"], "allow_unauthenticated": True})["changed"]
    finally:
        lab.run(HOST, f"rm {folder}/case.list; apt-get purge -y -q lab-unsigned; apt-get update -q")


def test_the_cache_is_updated_when_it_is_due(lab: Lab, remote: Remote) -> None:
    lab.run(HOST, "rm -rf /var/lib/apt/lists/*_*")
    first = remote(HOST, "apt", {"update_cache": True})
    assert first["changed"] and first["cache_updated"] and abs(first["cache_update_time"] - time.time()) < 60, first
    nothing_new = remote(HOST, "apt", {"update_cache": True})
    assert not nothing_new["changed"] and not nothing_new["cache_updated"], nothing_new
    second = remote(HOST, "apt", {"update_cache": True, "cache_valid_time": 3600})
    assert not second["changed"] and not second["cache_updated"]


def test_autoremove_takes_only_orphans(lab: Lab, proved: Remote) -> None:
    lab.run(HOST, "apt-mark auto lab-orphan")
    result: dict[str, Any] = proved(HOST, "apt", {"autoremove": True})
    assert "lab-orphan" in result["diff"]["prepared"]
    assert version(lab, "lab-orphan") in ("", "rc  1.0", "un")


def test_deb_files(lab: Lab, proved: Remote) -> None:
    lab.run(HOST, "cd /root && apt-get download -q lab-kernel-ish && mv lab-kernel-ish_*.deb k.deb")
    assert proved(HOST, "apt", {"deb": "/root/k.deb"})["changed"]
