"""The weekly maintenance on fresh hosts: predicted, done, done once, proved (fault row 47)."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from opsplay_run import OPSPLAY, PROJECT

WEEKLY = "playbooks/weekly_maintenance.yml"


@pytest.fixture(scope="module", autouse=True)
def fresh(lab: Any) -> None:
    for host in ("web1", "web2", "db1", "cache1"):
        lab.recreate(host)


def digest(lab: Any, host: str) -> str:
    """Everything a cleanup could spoil."""
    script = "find /srv/precious /var/backups/sqlite /var/backups/files -xdev -type f -exec sha256sum {} + | sort | sha256sum"
    return str(lab.run(host, script, check=True).stdout)


def test_weekly_maintenance_does_its_work_once(lab: Any, run: Any) -> None:
    before = {host: digest(lab, host) for host in ("web1", "db1")}
    files = lab.run("web1", "find /tmp /var/log/app -xdev | sort", check=True).stdout
    seen = run(WEEKLY, "--check")
    assert seen.code == 0, seen.text
    assert lab.run("web1", "find /tmp /var/log/app -xdev | sort", check=True).stdout == files, "check mode changes nothing"

    first = run(WEEKLY)
    assert first.code == 0, first.text
    assert set(first.hosts()) == {"web1", "web2", "db1", "cache1"} and first.changed() >= 16
    for host, counts in seen.hosts().items():
        assert counts["changed"] <= first.hosts()[host]["changed"] <= counts["changed"] + 1, "check mode foresees all but the restarts"

    second = run(WEEKLY)
    assert second.code == 0 and second.changed() == 0, second.text
    assert {host: digest(lab, host) for host in before} == before


def test_its_summary_tells_what_happened(run: Any) -> None:
    again = run(WEEKLY, "-t", "backups,postgres")
    levels = {verdict["level"] for verdict in again.summary["verdicts"]}
    assert levels == {"ok"}, again.summary["verdicts"]
    checks = {verdict["check"] for verdict in again.summary["verdicts"]}
    assert {"restore", "PostgreSQL connections", "app: indexes"} <= checks


def test_packages_are_updated_services_run_new_code_and_holds_hold(lab: Any) -> None:
    shown = lab.run("web1", "dpkg-query -W -f '${Package} ${Version}\\n' lab-hello lab-openssl-ish lab-held lab-service", check=True).stdout
    assert dict(line.split() for line in shown.splitlines()) == {"lab-hello": "1.1", "lab-openssl-ish": "1.1", "lab-held": "1.0", "lab-service": "1.1"}
    assert "1.1" in lab.run("web1", "cat /run/lab-service/version /run/lab-service/library", check=True).stdout
    assert "deleted" not in lab.run("web1", "cat /proc/$(systemctl show -p MainPID --value lab-service)/maps", check=True).stdout


def test_temporary_files_in_use_are_there_and_the_old_are_gone(lab: Any) -> None:
    left = lab.run("web1", "ls -A /tmp /var/tmp", check=True).stdout.split("\n")
    assert {"held-open.tmp", "held-mapped.tmp", "held-locked.tmp", "held.sock", "fresh.tmp", "link-to-precious"} <= set(left)
    assert not {"report-1.tmp", "upload.part", "core.4711", "-rf", ".hidden-old", "two words.tmp"} & set(left)


def test_no_line_of_the_log_is_lost_over_the_rotations(lab: Any, run: Any, tmp_path: Any) -> None:
    play = tmp_path / "rotate.yml"
    play.write_text("- hosts: web1\n  become: true\n  gather_facts: false\n  roles:\n    - role: log_rotation\n      vars:\n"
                    "        log_rotation_logs: [{path: /var/log/app/app.log, unit: lab-app.service, max_size: 1k}]\n")
    lab.run("web1", "sed -i 's/^lines_per_second.*/lines_per_second = 2000/' /etc/lab-app.conf; systemctl stop lab-app; rm -f /var/log/app/app.log*; systemctl start lab-app; sleep 1", check=True)
    first = lab.run("web1", "tail -n 1 /var/log/app/app.log", check=True).stdout
    for _ in range(3):
        assert run(play).code == 0
    lab.run("web1", "systemctl stop lab-app; sed -i 's/^lines_per_second.*/lines_per_second = 5/' /etc/lab-app.conf", check=True)
    text = lab.run("web1", "cd /var/log/app; zcat -f app.log*", check=True).stdout
    lab.run("web1", "systemctl start lab-app", check=True)
    numbers = sorted(int(word[4:]) for word in text.split() if word.startswith("seq="))
    start = next(int(word[4:]) for word in first.split() if word.startswith("seq="))
    later = [number for number in numbers if number >= start]
    assert len(later) > 500 and later == list(range(start, start + len(later)))


def test_the_role_tests_pass(lab: Any) -> None:
    words = [OPSPLAY, "verify", "-i", str(lab.inventory_path), "-b"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_audit_catches_every_broken_backup_and_no_good_one(lab: Any, run: Any) -> None:
    audit = run("playbooks/backup_audit.yml")
    assert audit.code == 2, audit.text
    told = {(backup["host"], backup["path"].split("/")[-1]): backup["verdict"] for backup in audit.summary["maintenance"]["backups"]}
    good = {"app.sql", "app.sql.gz", "app.dump", "app.sqlite3", "site.tar.gz"}
    wrong = {where: verdict for where, verdict in told.items() if (verdict == "ok") != (where[1] in good)}
    assert wrong == {} and len(told) >= 30, wrong
    assert lab.run("db1", "ls /etc/lab-owned /tmp/lab-owned /var/lib/postgresql/lab-owned 2>/dev/null", check=False).stdout == ""
    assert lab.run("db1", "ls /var/tmp | grep opsplay-scratch", check=False).stdout == ""


def test_security_only_updates_nothing_else(lab: Any, run: Any, tmp_path: Any) -> None:
    lab.recreate("web2")
    play = tmp_path / "security.yml"
    play.write_text("- hosts: web2\n  become: true\n  roles:\n    - role: package_updates\n      vars: {package_updates_security_only: true}\n")
    done, again = run(play), run(play)
    assert done.code == 0 and done.changed() >= 1 and again.changed() == 0, done.text
    shown = lab.run("web2", "dpkg-query -W -f '${Package} ${Version}\\n' lab-hello lab-openssl-ish", check=True).stdout
    assert dict(line.split() for line in shown.splitlines()) == {"lab-hello": "1.0", "lab-openssl-ish": "1.1"}


def test_a_required_reboot_happens_only_where_it_is_allowed(lab: Any, run: Any, tmp_path: Any) -> None:
    lab.run("web2", "apt-get -qq install -y lab-kernel-ish=1.0 >/dev/null 2>&1 || apt-get -qq install -y lab-kernel-ish; touch /run/reboot-required", check=True)
    boot = lab.run("web2", "cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestampMonotonic init.scope", check=True).stdout
    play = tmp_path / "reboot.yml"
    play.write_text("- hosts: web2\n  become: true\n  roles:\n    - role: package_updates\n      vars: {package_updates_reboot: \"{{ allowed }}\"}\n")
    kept = run(play, "-e", '{"allowed": false}')
    assert kept.code == 0, kept.text
    assert any(verdict["level"] == "warn" and "reboot is required" in verdict["message"] for verdict in kept.summary["verdicts"])
    assert lab.run("web2", "test -e /run/reboot-required", check=False).returncode == 0
    done = run(play, "-e", '{"allowed": true}')
    assert done.code == 0, done.text
    assert lab.run("web2", "test -e /run/reboot-required", check=False).returncode != 0 and boot
