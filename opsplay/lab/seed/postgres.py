"""Owns what is in the lab's PostgreSQL, and its backups, good and broken; where the server is says the environment."""

import gzip

from backups import flipped, freshness
from steps import FILES, at, own, run, write

BACKUPS = at("/var/backups/postgresql")
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


def load() -> None:
    for database, script in SCRIPTS:
        psql(database, (FILES / script).read_text())


def psql(database: str, script: str) -> str:
    return run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-", text=script, user="postgres")


def postgres_backups() -> None:
    BACKUPS.mkdir(parents=True)
    own("postgres:postgres", BACKUPS)
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
    own("postgres:postgres", BACKUPS)
    freshness(BACKUPS)


def dump(kind: str, database: str, name: str, *more: str) -> bytes:
    path = BACKUPS / name
    run("pg_dump", f"--format={kind}", f"--file={path}", *more, database, user="postgres")
    return path.read_bytes()
