"""The events of one weekly maintenance run on four hosts: the input of every report's golden file."""

from __future__ import annotations

from opsplay.events import (
    BatchStarted,
    Event,
    FactsGathered,
    HandlerNotified,
    HandlerRan,
    HostFinished,
    HostStarted,
    Included,
    ItemFinished,
    Message,
    Notice,
    OutputLine,
    PlayFinished,
    PlayStarted,
    Retrying,
    RunFinished,
    RunStarted,
    StatsSet,
    TaskStarted,
)

START = 1795341600.0  # 2026-11-22T10:00:00Z
HOSTS = ("web1", "web2", "db1", "cache1")
GIB = 1024**3


class Script:
    """Writes events with a clock of its own."""

    def __init__(self) -> None:
        self.at = START
        self.events: list[Event] = []
        self.number = 0

    def say(self, kind: type[Event], **fields: object) -> None:
        self.events.append(kind(at=self.at, **fields))  # type: ignore[arg-type]

    def task(self, name: str, action: str, role: str = "", line: int = 1, handler: bool = False) -> str:
        self.number += 1
        where = f"example/roles/{role}/tasks/main.yml:{line}:3" if role else f"example/weekly_maintenance.yml:{line}:7"
        self.say(
            TaskStarted, task_id=f"t{self.number}", task=name, action=action, where=where, role=role, is_handler=handler
        )
        return f"t{self.number}"

    def end(
        self, task: str, host: str, status: str, seconds: float = 0.2, result: dict | None = None, **more: object
    ) -> None:
        changed = status == "changed"
        self.say(HostStarted, task_id=task, host=host)
        self.at += seconds
        full = {"changed": changed, **(result or {})}
        self.say(HostFinished, task_id=task, host=host, status=status, result=full, duration=seconds, **more)
        self.at -= seconds * 0.7


def facts(host: str, used: float) -> dict[str, object]:
    return {
        "ansible_distribution": "Debian", "ansible_distribution_version": "12.8", "ansible_kernel": "6.1.0-27-amd64",
        "ansible_architecture": "x86_64", "ansible_python_version": "3.11.2", "ansible_processor_vcpus": 2,
        "ansible_uptime_seconds": 1_209_600 + len(host) * 7777, "ansible_memtotal_mb": 3915, "ansible_memfree_mb": 1204,
        "ansible_swaptotal_mb": 974, "ansible_swapfree_mb": 974, "ansible_memory_mb": {"nocache": {"free": 2711, "used": 1204}},
        "ansible_loadavg": {"1m": 0.42, "5m": 0.31, "15m": 0.22}, "ansible_nodename": host,
        "ansible_mounts": [
            {"mount": "/", "device": "/dev/vda1", "fstype": "ext4", "size_total": 40 * GIB, "size_available": int(40 * GIB * (1 - used))},
            {"mount": "/boot", "device": "/dev/vda15", "fstype": "vfat", "size_total": GIB // 8, "size_available": GIB // 9},
        ],
    }  # fmt: skip


def weekly_run() -> list[Event]:
    script = Script()
    script.say(
        RunStarted, run_id="20261122-100000-a1b2c3", playbooks=("playbooks/weekly_maintenance.yml",), inventory=("inventories/lab",),
        hosts=HOSTS, operator="ada", controller="ops1", command=("opsplay", "run", "playbooks/weekly_maintenance.yml"),
        check=False, diff=True, version="0.1.0", revision="4f2c9e1+",
    )  # fmt: skip
    script.say(PlayStarted, play="Weekly maintenance", where="playbooks/weekly_maintenance.yml:2:3", hosts=HOSTS)
    script.say(BatchStarted, play="Weekly maintenance", hosts=HOSTS)
    gathering(script)
    rotation(script)
    packages(script)
    database(script)
    endings(script)
    script.say(PlayFinished, play="Weekly maintenance")
    script.say(RunFinished, run_id="20261122-100000-a1b2c3", outcome="failed", exit_code=2, duration=41.7)
    return script.events


def gathering(script: Script) -> None:
    task = script.task("Gathering Facts", "setup", line=2)
    for number, host in enumerate(HOSTS):
        script.end(task, host, "ok", 0.31, {"ansible_facts": {"x": 1}})
        script.say(FactsGathered, host=host, facts=facts(host, 0.35 + number * 0.18))


def rotation(script: Script) -> None:
    task = script.task("Find the logs over the limit", "find", "log_rotation", 3)
    for host in HOSTS:
        script.end(task, host, "ok", 0.12)
    task = script.task("Rotate", "log_rotate", "log_rotation", 9)
    diff = [{"before_header": "/var/log/app/app.log", "after_header": "/var/log/app/app.log-20261122.gz",
             "before": "size: 161480704\nmode: 0640\n", "after": "size: 5242880\nmode: 0640\n"}]  # fmt: skip
    for host in ("web1", "web2"):
        script.say(ItemFinished, task_id=task, host=host, item="/var/log/app/app.log", label="/var/log/app/app.log",
                   status="changed", result={"changed": True})  # fmt: skip
        script.say(ItemFinished, task_id=task, host=host, item="/var/log/app/old.log", label="/var/log/app/old.log",
                   status="ok", result={"changed": False})  # fmt: skip
        script.end(
            task, host, "changed", 1.8, {"results": [{"changed": True, "diff": diff}, {"changed": False}]}, looped=True
        )
        script.say(HandlerNotified, host=host, handler="Reload the application")
    for host in ("db1", "cache1"):
        script.end(task, host, "skipped", 0.01, {"skip_reason": "Conditional result was False"})
    for host in ("web1", "web2"):
        script.say(StatsSet, host=host, data={"logs_rotated": ["/var/log/app/app.log"], "bytes_freed": 156_237_824})


def packages(script: Script) -> None:
    task = script.task("Include the upgrade of Debian", "include_tasks", "package_updates", 2)
    script.say(Included, task_id=task, hosts=HOSTS, name="debian.yml", path="roles/package_updates/tasks/debian.yml")
    task = script.task("Upgrade", "apt", "package_updates", 5)
    prepared = "libssl3 3.0.15-1~deb12u1 -> 3.0.17-1~deb12u2\nopenssl 3.0.15-1~deb12u1 -> 3.0.17-1~deb12u2\n"
    for host in ("web1", "web2", "db1"):
        script.say(
            OutputLine, task_id=task, host=host, stream="stdout", line="Setting up openssl (3.0.17-1~deb12u2) ..."
        )
        script.end(task, host, "changed", 12.4, {"diff": {"prepared": prepared}})
        updated = [
            {"name": name, "from": "3.0.15-1~deb12u1", "to": "3.0.17-1~deb12u2"} for name in ("libssl3", "openssl")
        ]
        script.say(StatsSet, host=host, data={"packages_updated": updated})
    refused = "Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)"
    script.say(Retrying, task_id=task, host="cache1", attempt=1, retries=2, result={"msg": refused})
    script.end(
        task, "cache1", "failed", 20.1, {"msg": refused, "failed": True, "rc": 100, "stderr": "E: lock\n"}, ignored=True
    )


def database(script: Script) -> None:
    task = script.task("Measure", "postgresql_table_stats", "postgres_maintenance", 4)
    script.end(task, "db1", "ok", 0.5)
    task = script.task("Reindex what is bloated", "postgresql_reindex", "postgres_maintenance", 12)
    script.end(task, "db1", "changed", 6.2, {"diff": {"before": {"bloat_pct": 61.2}, "after": {"bloat_pct": 3.1}}})
    before = {"size_bytes": 3_221_225_472, "dead_tuples": 1_482_113, "table_bloat_pct": 38.5, "index_bloat_pct": 61.2}
    after = {"size_bytes": 2_254_857_830, "dead_tuples": 0, "table_bloat_pct": 4.0, "index_bloat_pct": 3.1}
    script.say(StatsSet, host="db1", data={
        "postgres": {"shop": {"before": before, "after": after}}, "bytes_freed": 966_367_642,
        "verdicts": [{"check": "cache hit ratio", "level": "ok", "message": "99.1 %", "value": 99.1, "threshold": 85}],
    })  # fmt: skip
    task = script.task("Restore into a scratch database", "backup_restore_check", "backup_verification", 20)
    script.end(
        task,
        "db1",
        "failed",
        3.3,
        {"msg": "the dump is truncated: no end marker after 48211 lines", "failed": True},
        rescued=True,
    )
    script.say(StatsSet, host="db1", data={
        "backups": [
            {"name": "shop-2026-11-21.dump", "kind": "pg_dump custom", "age_seconds": 93_600, "rpo_seconds": 90_000, "restored": False,
             "size_bytes": 48_211_000, "level": "crit", "message": "the dump is truncated: no end marker after 48211 lines"},
            {"name": "shop-2026-11-20.dump", "kind": "pg_dump custom", "age_seconds": 180_000, "restored": True,
             "restore_seconds": 14.2, "rto_seconds": 900, "size_bytes": 512_110_592, "level": "ok", "message": "12 tables, 4,118,220 rows"},
        ],
        "verdicts": [{"check": "backup shop", "level": "crit", "message": "the newest backup does not restore"},
                     {"check": "disk /", "level": "warn", "message": "71 % used", "value": 71, "threshold": 70}],
    })  # fmt: skip


def endings(script: Script) -> None:
    task = script.task("Say where the page is", "debug", line=30)
    script.say(Message, host="web1", text="maintenance page: http://web1/maintenance")
    script.end(task, "web1", "ok", 0.0, {"msg": "maintenance page: http://web1/maintenance"})
    script.say(
        Notice,
        level="warning",
        message="the service is masked",
        where="roles/log_rotation/handlers/main.yml:2:3",
        host="web2",
    )
    task = script.task("Reload the application", "service", "log_rotation", 2, handler=True)
    script.end(task, "web1", "changed", 0.9)
    script.say(HandlerRan, host="web1", handler="Reload the application")
    failed = "Unable to reload service app: unit is masked.\nSee: systemctl status app"
    script.end(task, "web2", "failed", 0.4, {"msg": failed, "failed": True})
    task = script.task("Ping", "ping", line=40)
    script.end(task, "cache1", "unreachable", 10.0, {"msg": "no answer from 10.0.3.14:22 in 10 s", "unreachable": True})
