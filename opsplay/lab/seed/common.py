"""Owns what every lab host has: users, sshd, a short boot, an apt repository, an application and its logs."""

import shutil
from pathlib import Path

from application_logs import application_logs
from packages import build_repositories
from steps import FILES, age, run, write

SSHD = """\
UseDNS no
MaxStartups 200:30:400
MaxSessions 100
PermitRootLogin prohibit-password
PasswordAuthentication no
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
Match User operator
    PasswordAuthentication yes
"""
UNITS = ("lab-app.service", "lab-holder.service")
# A container has no hardware to wait for, and nothing may wake up and change a host in the middle of a test.
MASKED = """
systemd-networkd-wait-online.service systemd-resolved.service systemd-timesyncd.service apt-daily.timer
apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer man-db.timer
systemd-firstboot.service getty.target console-getty.service systemd-udevd.service systemd-udev-trigger.service
proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
dev-hugepages.mount dev-mqueue.mount systemd-tmpfiles-clean.timer logrotate.timer systemd-journal-flush.service
systemd-update-utmp.service systemd-update-utmp-runlevel.service modprobe@.service
""".split()  # noqa: SIM905


def main() -> None:
    users()
    sshd()
    boot()
    build_repositories()
    application()
    precious()
    clock()


def users() -> None:
    run("useradd", "-m", "-s", "/bin/bash", "-G", "sudo,adm,systemd-journal", "-p", "*", "deploy")
    # Debian has a group "operator" already.
    run("useradd", "-m", "-s", "/bin/bash", "-g", "operator", "-G", "sudo,adm", "-p", "!", "operator")
    run("useradd", "-r", "-M", "-d", "/nonexistent", "-s", "/usr/sbin/nologin", "app")
    write("/etc/sudoers.d/deploy", "deploy ALL=(ALL:ALL) NOPASSWD:ALL\n", mode=0o440)
    write("/etc/environment", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")


def sshd() -> None:
    for key in Path("/etc/ssh").glob("ssh_host_*"):
        key.unlink()
    write("/etc/ssh/sshd_config.d/lab.conf", SSHD)


def boot() -> None:
    for unit in MASKED:
        link("/dev/null", f"/etc/systemd/system/{unit}")
    link("/lib/systemd/system/multi-user.target", "/etc/systemd/system/default.target")
    write("/etc/systemd/journald.conf.d/lab.conf", "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n")
    for service in ("postgresql.service", "redis-server.service"):
        run("systemctl", "disable", service)
    for name in ("resolv.conf", "hostname", "machine-id"):
        Path("/etc", name).unlink(missing_ok=True)
    write("/etc/resolv.conf", "# the lab has no name server: names stand in /etc/hosts\n")


def link(target: str, path: str) -> None:
    Path(path).unlink(missing_ok=True)
    Path(path).symlink_to(target)


def application() -> None:
    """lab-app writes numbered lines to two logs for as long as it runs, and reopens them on SIGHUP."""
    for name in ("lab-app", "lab-holder"):
        shutil.copy(FILES / name, f"/usr/local/sbin/{name}")
        Path(f"/usr/local/sbin/{name}").chmod(0o755)
    for unit in UNITS:
        shutil.copy(FILES / unit, f"/etc/systemd/system/{unit}")
    run("systemctl", "enable", *UNITS)
    write("/etc/lab-app.conf", "lines_per_second = 5\n")
    write("/etc/cron.d/lab-tick", "* * * * * root date +\\%FT\\%T >> /var/log/cron-tick.log\n")
    application_logs(Path("/var/log/app"))


def clock() -> None:
    """The library of the clock fault; nothing uses it until the fault is made."""
    run("tcc", "-shared", "-nostdlib", "-o", "/usr/local/lib/lab-clock.so", str(FILES / "lab-clock.c"))


def precious() -> None:
    """What nobody may delete; old links in /tmp and /var/tmp point here."""
    write("/srv/precious/ledger.txt", "worth more than this host\n", mode=0o640)
    write("/srv/precious/deep/er/contract.txt", "signed\n", mode=0o640)
    for path in ("/srv/precious/ledger.txt", "/srv/precious/deep/er/contract.txt"):
        age(Path(path), 400)
    Path("/srv/data").mkdir(exist_ok=True)


main()
