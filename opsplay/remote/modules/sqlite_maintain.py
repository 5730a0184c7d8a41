"""Check, vacuum and analyze a SQLite database, where that is worth its while."""

import os

from opsplay.remote import durations
from opsplay.remote.modules.sqlite_query import open_database
from opsplay.remote.spec import Flag, Integer, Listing, ModuleFailure, Number, Path, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, aliases=("db", "database", "name")),
        "integrity_check": Flag(default=True, text="PRAGMA integrity_check and foreign_key_check first; damage is a failure."),
        "vacuum": Flag(default=True),
        "when_free_pct": Number(default=10.0, text="Vacuum only when this percentage of the pages is free."),
        "when_free_size": Text(text="Vacuum only when this much is free: 10M."),
        "analyze": Flag(default=True, text="ANALYZE after a vacuum, and where it never was."),
        "timeout": Number(default=5.0, text="Seconds to wait for a writer; then nothing was done."),
    },
    returns={"integrity": Text(), "size_before": Integer(), "size_after": Integer(), "bytes_freed": Integer(), "free_pct": Number(),
             "actions": Listing(text="What was done (in check mode: would be).")},
    examples=("sqlite_maintain: {path: /srv/app/app.sqlite3}",),
    notes=("VACUUM needs room for a second copy, and keeps writers out meanwhile: stop the service around it (block, always).",),
)


def act(system, args):
    database = open_database(args.path, args.timeout, "ro" if system.check else "rw")
    before = os.path.getsize(args.path)
    try:
        integrity = _check(database) if args.integrity_check else "not checked"
        free = _free_pages(database)
        actions = _wanted(database, args, free)
        if not system.check:
            _carry_out(database, args, actions)
    finally:
        database.close()
    after = before if system.check else os.path.getsize(args.path)
    result = {"changed": bool(actions), "integrity": integrity, "size_before": before, "size_after": after, "actions": actions,
              "bytes_freed": max(0, before - after), "free_pct": round(free["pct"], 2)}
    if system.diff and actions:
        result["diff"] = {"before": "%.1f %% of the pages free\n" % free["pct"], "after": ", ".join(actions) + "\n"}
    return result


def _check(database):
    import sqlite3
    try:
        told = [row[0] for row in database.execute("PRAGMA integrity_check(20)")]
        broken = database.execute("PRAGMA foreign_key_check").fetchmany(5)
    except sqlite3.DatabaseError as problem:
        told, broken = [str(problem)], []
    if told != ["ok"]:
        raise ModuleFailure("the database is damaged: %s" % "; ".join(told)[:300], integrity="; ".join(told))
    if broken:
        raise ModuleFailure("rows refer to rows that are not there: %s" % broken, integrity="foreign keys broken")
    return "ok"


def _free_pages(database):
    pages, free, size = (database.execute("PRAGMA " + name).fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
    return {"pct": 100.0 * free / pages if pages else 0.0, "bytes": free * size, "size": pages * size}


def _wanted(database, args, free):
    wanted = []
    least = durations.size(args.when_free_size, "when_free_size") or 0
    if args.vacuum and free["pct"] >= args.when_free_pct and free["bytes"] >= max(1, least):
        wanted.append("vacuum")
    has_indexes = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index'").fetchone()[0]
    never = not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()[0]
    if args.analyze and (wanted or (never and has_indexes)):
        wanted.append("analyze")
    return wanted


def _carry_out(database, args, actions):
    import sqlite3
    folder = os.statvfs(os.path.dirname(os.path.abspath(args.path)))
    if "vacuum" in actions and folder.f_bavail * folder.f_frsize < os.path.getsize(args.path):
        raise ModuleFailure("a vacuum needs room for a second copy of %s, and there is none" % args.path)
    for action in actions:
        try:
            database.execute(action.upper())
        except sqlite3.Error as problem:
            raise ModuleFailure("%s: %s" % (action, problem))
