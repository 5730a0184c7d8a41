"""What stands on a real lab's hosts: logins, upgrades, logs, temp files, databases and backups."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from lab_traces import ssh

from opsplay.lab import Lab


def test_every_account_logs_in_and_becomes_root_as_it_should(lab: Lab) -> None:
    assert ssh(lab.ssh_config, "web1", "id -un; sudo -n id -un").stdout.split() == ["deploy", "root"]
    refused = ssh(lab.ssh_config, "operator@web1", "sudo -n id -un")
    assert refused.returncode != 0
    assert "password is required" in refused.stderr
    asked = ssh(lab.ssh_config, "operator@web1", f"echo {lab.operator_password} | sudo -S -p '' id -un")
    assert asked.stdout.strip() == "root"
    assert ssh(lab.ssh_config, "root@web1", "id -un").stdout.strip() == "root"


def test_hosts_are_real_systems_with_their_own_names(lab: Lab) -> None:
    for host in lab.hosts:
        assert lab.run(host.name, "hostname; systemctl is-system-running").stdout.split() == [host.name, "running"]
    boots = {lab.run(host.name, "cat /proc/sys/kernel/random/boot_id /etc/machine-id").stdout for host in lab.hosts}
    assert len(boots) == len(lab.hosts)


def test_hosts_reach_each_other_by_name(lab: Lab) -> None:
    assert "1 received" in lab.run("web1", "ping -c 1 -W 2 db1").stdout


def test_the_inventory_names_groups_and_how_to_reach_the_hosts(lab: Lab) -> None:
    tree = yaml.safe_load((lab.inventory_path / "hosts.yml").read_text())
    groups = tree["all"]["children"]
    assert set(groups) == {"web", "db", "cache"}
    assert groups["web"]["hosts"]["web1"]["ansible_host"] == lab.host("web1").address
    variables = yaml.safe_load((lab.inventory_path / "group_vars" / "all.yml").read_text())
    assert variables["ansible_user"] == "deploy"
    assert Path(variables["ansible_ssh_private_key_file"]).exists()
    assert str(lab.known_hosts) in variables["ansible_ssh_common_args"]


def test_apt_updates_at_once_and_offers_the_upgrades(lab: Lab) -> None:
    started = time.monotonic()
    lab.run("web2", "apt-get update")
    assert time.monotonic() - started < 2
    listed = lab.run("web2", "apt list --upgradable 2>/dev/null").stdout
    assert "lab-hello/stable 1.1" in listed
    assert "lab-openssl-ish/stable-security 1.1" in listed
    assert lab.run("web2", "apt-mark showhold").stdout.split() == ["lab-held"]
    planned = lab.run("web2", "apt-get -s upgrade").stdout
    assert "Debian-Security" in next(line for line in planned.splitlines() if line.startswith("Inst lab-openssl-ish"))
    assert "Inst lab-held" not in planned


def test_a_service_runs_its_old_version_until_it_is_restarted(lab: Lab) -> None:
    lab.run("web2", "apt-get -qy install lab-service lab-openssl-ish", timeout=60)
    assert lab.run("web2", "lab-service --version; cat /run/lab-service/version").stdout.split() == ["1.1", "1.0"]
    pid = lab.run("web2", "systemctl show -p MainPID --value lab-service").stdout.strip()
    assert "libcrypto-ish.so.1 (deleted)" in lab.run("web2", f"cat /proc/{pid}/maps").stdout.replace(".dpkg-tmp", "")
    lab.run("web2", "systemctl restart lab-service; until [ -s /run/lab-service/library ]; do sleep 0.02; done")
    until(lambda: lab.run("web2", "cat /run/lab-service/version").stdout.strip() == "1.1")
    lab.recreate("web2")
    assert lab.run("web2", "lab-service --version").stdout.strip() == "1.0"


def test_unsigned_and_broken_packages_are_what_they_claim(lab: Lab) -> None:
    try:
        lab.run("web2", "apt-get -qy install lab-kernel-ish")
        assert lab.run("web2", "cat /run/reboot-required.pkgs").stdout.strip() == "lab-kernel-ish"
        broken = lab.run("web2", "apt-get -qy install lab-broken", check=False)
        assert "cannot be configured" in broken.stderr + broken.stdout
        lab.run("web2", "cp /etc/apt/sources.list.d/lab-unsigned.list.disabled /etc/apt/sources.list.d/u.list")
        unsigned = lab.run("web2", "apt-get update; apt-get -qy install lab-unsigned", check=False)
        assert unsigned.returncode != 0
        assert lab.run("web2", "dpkg -s lab-unsigned", check=False).returncode != 0
    finally:
        lab.recreate("web2")


def test_logs_grow_and_are_reopened_on_hangup(lab: Lab) -> None:
    before = size(lab, "/var/log/app/app.log")
    until(lambda: size(lab, "/var/log/app/app.log") > before)
    lab.run("web1", "mv /var/log/app/app.jsonl /var/log/app/moved.jsonl; systemctl reload lab-app")
    until(lambda: size(lab, "/var/log/app/app.jsonl") > 0)
    assert lab.run("web1", "stat -c %U:%G /var/log/app/app.jsonl").stdout.strip() == "app:adm"
    lab.run("web1", "rm /var/log/app/moved.jsonl")


def size(lab: Lab, path: str) -> int:
    return int(lab.run("web1", f"stat -c %s {path} 2>/dev/null || echo 0").stdout)


def test_a_big_log_takes_little_disk(lab: Lab) -> None:
    apparent, blocks = lab.run("web1", "stat -c '%s %b' /var/log/app/big.log").stdout.split()
    assert int(apparent) >= 20 << 20
    assert int(blocks) * 512 < 2 << 20


def test_old_temp_files_are_old_and_some_are_in_use(lab: Lab) -> None:
    old = lab.run("web1", "find /tmp -xdev -mtime +10 -atime +10 -print0").stdout.split("\0")
    for name in ("report-1.tmp", "-rf", "line\nbreak.tmp", "held-open.tmp", "link-to-precious", "old-tree/a/b/c.tmp"):
        assert f"/tmp/{name}" in old
    held = lab.run("web1", "fuser /tmp/held-open.tmp /tmp/held-locked.tmp /tmp/held-mapped.tmp", check=False)
    assert len(set(held.stdout.split())) == 1
    assert "/tmp/held.sock" in lab.run("web1", "cat /proc/net/unix").stdout
    assert lab.run("web1", "stat -f -c %T /var/tmp/other-filesystem").stdout.strip() == "tmpfs"


def test_the_database_is_worn(lab: Lab) -> None:
    counts = sql(lab, "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_user_tables ORDER BY 1")
    assert counts == ["customers|1000|0", "events|4000|0", "orders|20000|30000"]
    assert int(sql(lab, "SELECT pg_table_size('events')")[0]) > 3 * 4000 * 200


def sql(lab: Lab, statement: str) -> list[str]:
    command = f'runuser -u postgres -- psql -qAtX -d app -c "{statement}"'
    return lab.run("db1", command).stdout.split("\n")[:-1]


def test_the_database_answers_the_controller(lab: Lab) -> None:
    import psycopg

    with psycopg.connect(host=lab.host("db1").address, user="app", password="app-lab", dbname="app") as connection:
        row = connection.execute("SELECT count(*) FROM orders").fetchone()
    assert row == (20000,)


@pytest.mark.parametrize("good", ["app.dump", "app-old.dump"])
def test_good_dumps_restore(lab: Lab, good: str) -> None:
    assert restore(lab, good) == (0, "20000")


@pytest.mark.parametrize("broken", ["truncated", "empty", "flipped", "newer-version", "wrong-db"])
def test_broken_dumps_do_not_restore_the_data(lab: Lab, broken: str) -> None:
    assert restore(lab, f"app-{broken}.dump") != (0, "20000")


def restore(lab: Lab, name: str) -> tuple[int, str]:
    """Exit code of pg_restore into a scratch database, and the orders that arrived there."""
    script = f"""
    dropdb --if-exists scratch && createdb scratch
    pg_restore --exit-on-error -d scratch /var/backups/postgresql/{name}; echo $?
    psql -qAtX -d scratch -c 'SELECT count(*) FROM orders' 2>/dev/null || echo none
    dropdb scratch"""
    words = lab.run("db1", "runuser -u postgres -- sh -s", text=script).stdout.split()
    return int(words[0]), words[1]


def test_a_flipped_dump_still_lists(lab: Lab) -> None:
    """Otherwise a check that only lists it would find it too."""
    lab.run("db1", "pg_restore --list /var/backups/postgresql/app-flipped.dump >/dev/null")


def test_sqlite_backups_are_good_and_broken(lab: Lab, tmp_path: Path) -> None:
    checks = {}
    for name in ("app", "app-flipped", "app-truncated", "app-zero-rows"):
        data = subprocess.run(
            ["ssh", "-F", str(lab.ssh_config), "web1", f"cat /var/backups/sqlite/{name}.sqlite3"],
            capture_output=True,
            check=True,
            timeout=20,
        ).stdout
        (tmp_path / name).write_bytes(data)
        checks[name] = sound(tmp_path / name)
    assert checks == {"app": "ok 500", "app-flipped": "broken", "app-truncated": "broken", "app-zero-rows": "ok 0"}


def sound(path: Path) -> str:
    with sqlite3.connect(path) as database:
        try:
            if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return "broken"
            return f"ok {database.execute('SELECT count(*) FROM orders').fetchone()[0]}"
        except sqlite3.DatabaseError:
            return "broken"


def test_tar_backups_are_good_and_broken(lab: Lab) -> None:
    for name, good in {"site": True, "site-truncated": False, "site-flipped": False, "site-empty": False}.items():
        done = lab.run("web1", f"tar -tzf /var/backups/files/{name}.tar.gz >/dev/null", check=False)
        assert (done.returncode == 0) is good, name
    ages = lab.run("web1", "find /var/backups -mtime +30 -name '*.*' | sort").stdout.split()
    assert ages == ["/var/backups/files/site-old.tar.gz", "/var/backups/sqlite/app-old.sqlite3"]


def test_the_cache_answers_and_holds_keys(lab: Lab) -> None:
    assert lab.run("cache1", "redis-cli ping; redis-cli dbsize").stdout.split() == ["PONG", "1000"]


def until(ready: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.05)
