"""Owns what a database host has: PostgreSQL with bloated tables, and backups of it, good and broken."""

import gzip
from pathlib import Path

from backups import flipped, freshness, sqlite_backups, tar_backups
from steps import FILES, run, write

BACKUPS = Path("/var/backups/postgresql")
SETTINGS = """\
listen_addresses = '*'
shared_buffers = 16MB
max_connections = 60
fsync = off
"""
# One session each: the counts of live and dead rows that a session causes are reported when it ends.
SCRIPTS = (
    ("postgres", "server.sql"),
    ("app", "app.sql"),
    ("app", "vacuum.sql"),
    ("app", "wear.sql"),
    ("app", "vacuum-events.sql"),
    ("other", "other.sql"),
)
HOSTILE = "SELECT 1;\n\\! touch /tmp/owned-by-dump\nCOPY (SELECT 1) TO PROGRAM 'touch /tmp/owned-by-copy';\n"


def main() -> None:
    write("/etc/postgresql/15/main/conf.d/lab.conf", SETTINGS)
    with open("/etc/postgresql/15/main/pg_hba.conf", "a") as access:
        access.write("host all all samenet scram-sha-256\n")
    run("pg_ctlcluster", "15", "main", "start")
    for database, script in SCRIPTS:
        psql(database, (FILES / script).read_text())
    postgres_backups()
    run("pg_ctlcluster", "15", "main", "stop")
    run("systemctl", "enable", "postgresql.service")
    sqlite_backups()
    tar_backups()


def psql(database: str, script: str) -> str:
    return run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-", text=script, user="postgres")


def postgres_backups() -> None:
    BACKUPS.mkdir(parents=True)
    run("chown", "postgres:postgres", str(BACKUPS))
    plain = dump("plain", "app", "app.sql")
    custom = dump("custom", "app", "app.dump")
    wrong = dump("custom", "other", "app-wrong-db.dump")
    empty = dump("plain", "app", "app-zero-rows.sql", "--schema-only")
    assert wrong and empty
    broken = {
        "app.sql.gz": gzip.compress(plain, mtime=0),
        "app-truncated.sql": plain[: len(plain) // 2],
        "app-truncated.dump": custom[: len(custom) // 2],
        "app-truncated.sql.gz": gzip.compress(plain, mtime=0)[:-2000],
        "app-empty.dump": b"",
        "app-empty.sql": b"",
        # Past the table of contents, so that pg_restore --list still succeeds and only a real restore finds it.
        "app-flipped.dump": flipped(custom, len(custom) * 2 // 3, width=3),
        "app-newer-version.dump": custom[:6] + b"\x63" + custom[7:],
        "app-old.dump": custom,
        "app-old.sql": plain,
        "app-hostile.sql": HOSTILE.encode() + plain,
    }
    for name, data in broken.items():
        write(str(BACKUPS / name), data, mode=0o640)
    run("chown", "-R", "postgres:postgres", str(BACKUPS))
    freshness(BACKUPS)


def dump(kind: str, database: str, name: str, *more: str) -> bytes:
    path = BACKUPS / name
    run("pg_dump", f"--format={kind}", f"--file={path}", *more, database, user="postgres")
    return path.read_bytes()


main()
