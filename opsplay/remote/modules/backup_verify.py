"""Prove a backup: present, fresh, whole, and really restored into a scratch database that is gone afterwards."""

import os
import time

from opsplay.remote import backup_files, durations, plain_dump, scratch_postgres, scratch_space
from opsplay.remote.spec import Choice, Dictionary, Flag, Integer, Listing, ModuleFailure, Number, Path, Raw, Spec, Text

SPEC = Spec(
    args={
        "path": Path(required=True, text="The backup; a glob takes the newest match, %Y-%m-%d stands for today."),
        "label": Text(aliases=("name",), text="What reports call it."),
        "kind": Choice("auto", "pg_plain", "pg_custom", "pg_base", "sqlite", "tar", "file", default="auto",
                       text="auto goes by the name and compares with the content; file is not restored."),
        "max_age": Text(text="Older is critical (RPO): 1h, 26h, 8d."),
        "min_size": Text(default="1", text="Smaller is critical."),
        "max_shrink_pct": Number(text="So much smaller than the previous match of path is critical."),
        "checksum": Choice("auto", "required", "ignore", default="auto", text="Compare with path.sha256, SHA256SUMS and the like."),
        "decrypt": Raw(text="A command (list) that reads the backup on stdin and writes it in clear: [gpg, --batch, -d]."),
        "restore": Flag(default=True, text="Restore it. Without, its state stays unknown, and the result says so."),
        "rto": Text(text="A restore that takes longer is critical: 1h."),
        "database": Text(text="The database it has to be of, where the format tells."),
        "tables": Dictionary(default={}, text="Least rows of each table: {orders: 100}."),
        "queries": Listing(default=[], aliases=("checks",), elements=Dictionary(), text="query, and expect, min or max; name; level."),
        "min_rows": Integer(default=1, text="Least rows in all tables together."),
        "members": Listing(default=[], text="tar: names (globs) that must be in it."),
        "min_members": Integer(default=1),
        "max_unpacked": Text(default="100g", text="Refuse to unpack more."),
        "timeout": Text(default="1h", text="For the restore."),
        "scratch": Path(default="/var/tmp", text="Where to restore to; a private folder in it, removed afterwards."),
        "scratch_user": Text(default="nobody", text="Who runs the scratch server and reads the backup."),
        "pg_bin": Path(text="Folder of PostgreSQL's programs; else the newest on the host."),
        "fail": Flag(default=True, text="A critical finding is a failure."),
    },
    returns={
        "verdict": Text(text="ok, warn or crit."), "checks": Listing(text="check, level, message, row of each."), "path": Text(),
        "size": Integer(), "age_seconds": Integer(), "kind": Text(), "restored": Flag(), "restored_seconds": Number(),
        "rows": Dictionary(text="Rows of each restored table."),
    },
    examples=(
        "backup_verify: {path: '/var/backups/postgresql/app-%Y-%m-%d*.dump', max_age: 26h, rto: 1h, tables: {orders: 1000}}",
        "backup_verify: {path: /var/backups/files/*.tar.gz, members: ['*/index.html'], max_age: 26h}",
    ),
    check="full",
    notes=("Reads only: nothing but the scratch folder is written, so it runs in check mode, too.",
           "Restores run as scratch_user without a network, into a cluster of their own, by a role that is no superuser."),
)
LEVELS = ("ok", "warn", "crit")


def read(system, args):
    report = Report(args)
    paths = backup_files.newest(args.path, report.now)
    if not paths:
        report.add("present", "crit", "no backup is at %s" % args.path, "G01")
        return report.finish()
    report.path = paths[0]
    try:
        _verify(system, args, report, paths)
    except (ModuleFailure, OSError) as problem:
        report.add("restore", "crit", getattr(problem, "msg", None) or str(problem), "G11")
    return report.finish()


class Report(object):
    def __init__(self, args):
        self.args = args
        self.now = time.time()
        self.checks = []
        self.path = args.path
        self.facts = {"size": 0, "age_seconds": None, "kind": args.kind, "restored": False, "restored_seconds": None, "rows": {}}

    def add(self, check, level, text, row):
        self.checks.append({"check": check, "level": level, "message": "%s: %s" % (self.label, text), "row": row})

    @property
    def label(self):
        return self.args.label or os.path.basename(self.path)

    def finish(self):
        verdict = LEVELS[max([LEVELS.index(check["level"]) for check in self.checks] or [0])]
        result = dict(self.facts, path=self.path, label=self.label, checks=self.checks, verdict=verdict)
        if verdict == "crit" and self.args.fail:
            raise ModuleFailure("; ".join(check["message"] for check in self.checks if check["level"] == "crit"), **result)
        return result


def _verify(system, args, report, paths):
    status = os.stat(report.path)
    _look_outside(args, report, status, paths)
    report.facts["kind"] = _expected_kind(args, report.path)
    if report.facts["kind"] == "file" or not status.st_size:
        return
    if not args.restore:
        report.add("restore", "warn", "not restored, so its state is unknown", "G11")
        return
    with scratch_space.Scratch(system, args.scratch, args.scratch_user) as scratch:
        _restore(Trial(system, args, report, scratch))


def _look_outside(args, report, status, paths):
    age = int(report.now - status.st_mtime)
    size = _size_of(report.path, status)
    report.facts.update(size=size, age_seconds=age)
    report.add("present", "ok", "%s, %s old" % (durations.spoken_size(size), durations.spoken(age)), "G01")
    limit = durations.seconds(args.max_age, "max_age")
    if limit is not None and age > limit:
        report.add("fresh", "crit", "%s old, more than %s" % (durations.spoken(age), args.max_age), "G02")
    if age < -300:
        report.add("fresh", "warn", "its time lies %s in the future" % durations.spoken(age), "G02")
    if size < (durations.size(args.min_size, "min_size") or 0):
        report.add("size", "crit", "%s, less than %s" % (durations.spoken_size(size), args.min_size), "G03")
    _compare_size(args, report, size, paths)
    if os.path.isfile(report.path):
        _compare_checksum(args, report)


def _size_of(path, status):
    if not os.path.isdir(path):
        return status.st_size
    return sum(os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(path) for name in names)


def _compare_size(args, report, size, paths):
    if args.max_shrink_pct is None or len(paths) < 2:
        return
    before = _size_of(paths[1], os.stat(paths[1]))
    if before and 100.0 * (before - size) / before > args.max_shrink_pct:
        report.add("size", "crit", "%s, the one before had %s" % (durations.spoken_size(size), durations.spoken_size(before)), "G03")


def _compare_checksum(args, report):
    if args.checksum == "ignore":
        return
    wanted = backup_files.expected_checksum(report.path)
    if wanted is None:
        if args.checksum == "required":
            report.add("checksum", "crit", "no checksum file is beside it", "G04")
        return
    algorithm, value, place = wanted
    same = backup_files.digest(report.path, algorithm) == value
    report.add("checksum", "ok" if same else "crit", "%s %s %s" % (algorithm, "as in" if same else "differs from", os.path.basename(place)), "G04")


def _expected_kind(args, path):
    if args.kind != "auto":
        return args.kind
    if os.path.isdir(path):
        return "pg_base"
    return backup_files.kind_by_name(path) or "auto"


class Trial(object):
    """One restore: the files on the way, what it took, what came out."""

    def __init__(self, system, args, report, scratch):
        self.system = system
        self.args = args
        self.report = report
        self.scratch = scratch
        self.limit = durations.size(args.max_unpacked, "max_unpacked")
        self.timeout = durations.seconds(args.timeout, "timeout")
        self.started = time.time()

    def crit(self, check, text, row="G04"):
        self.report.add(check, "crit", text, row)

    def done(self, rows):
        seconds = round(time.time() - self.started, 3)
        self.report.facts.update(restored=True, restored_seconds=seconds, rows=rows)
        rto = durations.seconds(self.args.rto, "rto")
        if rto is not None and seconds > rto:
            self.crit("rto", "restored in %s, more than %s" % (durations.spoken(seconds), self.args.rto), "G12")
        else:
            self.report.add("restore", "ok", "restored in %s" % durations.spoken(seconds), "G11")
        _count_rows(self, rows)


def _restore(trial):
    if trial.report.facts["kind"] == "pg_base":
        from opsplay.remote import scratch_base_backup
        scratch_base_backup.restore(trial)
        return
    plain = _in_clear(trial)
    with open(plain, "rb") as stream:
        found = backup_files.kind_by_content(stream.read(8192))
    expected = trial.report.facts["kind"]
    if found is None or expected not in ("auto", found):
        said = "nothing a restore knows" if found is None else found
        trial.crit("kind", "its content is %s%s" % (said, "" if expected == "auto" else ", not " + expected))
        return
    trial.report.facts["kind"] = found
    RESTORERS[found](trial, plain)


def _in_clear(trial):
    """A private copy, decrypted and unpacked."""
    source, args = trial.report.path, trial.args
    if args.decrypt:
        clear = trial.scratch.at("clear")
        command = args.decrypt if isinstance(args.decrypt, list) else ["sh", "-c", args.decrypt]
        done = backup_files.through(trial.system, command, source, clear)
        if done.rc:
            raise ModuleFailure("cannot be decrypted: %s" % done.stderr.strip()[-200:])
        source = clear
    with open(source, "rb") as stream:
        how = backup_files.packing(stream.read(8))
    copy = trial.scratch.at("backup")
    backup_files.unpack(trial.system, source, how, copy, trial.limit)
    trial.scratch.give(copy)
    return copy


def _restore_tar(trial, copy):
    args = trial.args
    found = trial.scratch.probe({"kind": "tar", "path": copy, "members": args.members, "limit": trial.limit}, trial.timeout)
    for problem in found["problems"]:
        trial.crit("content", problem)
    if found["problems"]:
        return
    for pattern in args.members:
        if pattern not in found["names"]:
            trial.crit("content", "%s is not in it" % pattern)
    if found["members"] < args.min_members:
        trial.crit("content", "%d members, fewer than %d" % (found["members"], args.min_members))
    if not found["bytes"]:
        trial.crit("content", "its files are empty")
    trial.report.facts["members"] = found["members"]
    trial.args["min_rows"] = 0
    trial.done({})


def _restore_sqlite(trial, copy):
    queries = trial.args.queries
    private = trial.scratch.at("home", "database")  # where a journal may be written beside it
    trial.scratch.run(["cp", copy, private])
    found = trial.scratch.probe({"kind": "sqlite", "path": private, "queries": [check["query"] for check in queries]}, trial.timeout)
    for problem in found["problems"]:
        trial.crit("content", problem)
    if found["problems"]:
        return
    trial.done(found["rows"])
    for check, answer in zip(queries, found["answers"]):  # noqa: B905 - strict= is newer than the oldest Python of hosts
        _judge(trial, check, answer.get("value"), answer.get("error"))


def _programs(trial):
    programs = scratch_postgres.Programs(trial.system, trial.args.pg_bin)
    programs.require_safe()
    return programs


def _cluster(trial, programs):
    cluster = scratch_postgres.Cluster(trial.scratch, programs)
    cluster.create()
    return cluster


def _refuse_newer(trial, made_by, programs):
    newest = max(made_by.values() or [0])
    if newest > programs.major:
        raise ModuleFailure("made by PostgreSQL %d; this host has %d and cannot restore it" % (newest, programs.major))


def _restore_plain(trial, copy):
    with open(copy, "rb") as stream:
        head = stream.read(8192)
    programs = _programs(trial)
    _refuse_newer(trial, plain_dump.versions(head), programs)
    safe = trial.scratch.at("safe.sql")
    with open(copy, "rb") as source, open(safe, "wb") as target:
        tail = plain_dump.make_safe(source, target, programs.restricted)
    trial.scratch.give(safe)
    if not plain_dump.TRAILER.search(tail):
        trial.crit("content", "cut off: the dump's last line is missing")
        return
    cluster = _cluster(trial, programs)
    done = cluster.psql(["-f", safe], timeout=trial.timeout)
    _after_postgres(trial, cluster, done)


def _restore_custom(trial, copy):
    import re
    programs = _programs(trial)
    listed = trial.scratch.run([programs.at("pg_restore"), "--list", copy], timeout=300)
    if listed.rc:
        trial.crit("content", _last(listed))
        return
    made_by = {kind: int(number) for kind, number in re.findall(r"^;\s+Dumped (from database|by pg_dump) version: (\d+)", listed.stdout, re.MULTILINE)}
    _refuse_newer(trial, made_by, programs)
    _compare_database(trial, re.search(r"^;\s+dbname: (.*)$", listed.stdout, re.MULTILINE))
    chosen = trial.scratch.at("list")
    with open(chosen, "w") as stream:
        stream.write("\n".join(line for line in listed.stdout.splitlines() if not re.match(r"^\d+; \d+ \d+ (EVENT TRIGGER|PUBLICATION|SUBSCRIPTION) ", line)))
    trial.scratch.give(chosen)
    cluster = _cluster(trial, programs)
    done = trial.scratch.run([programs.at("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--exit-on-error", "-L", chosen,
                              "-h", trial.scratch.home, "-p", "5432", "-U", scratch_postgres.OWNER, "-d", scratch_postgres.DATABASE, copy],
                             timeout=trial.timeout)
    _after_postgres(trial, cluster, done)


def _compare_database(trial, match):
    wanted = trial.args.database
    if wanted and match and match.group(1) != wanted:
        trial.crit("database", "it is of the database %s, not %s" % (match.group(1), wanted))


def _after_postgres(trial, cluster, done):
    if done.rc:
        trial.crit("restore", "timed out" if done.timed_out else _last(done), "G11")
        return
    trial.done(cluster.rows())
    ask(trial, cluster, scratch_postgres.OWNER, scratch_postgres.DATABASE)


def ask(trial, cluster, user, database):
    for check in trial.args.queries:
        answer = cluster.query(check["query"], user, database, 600)
        _judge(trial, check, answer.stdout.split("\n")[0].split("\x1f")[0], answer.stderr.strip()[-200:] if answer.rc else None)


def _last(run):
    lines = [line for line in run.stderr.splitlines() if line.strip()] or ["status %s" % run.rc]
    telling = [line for line in lines if "error" in line.lower()] or lines
    return telling[0][-300:]


def _count_rows(trial, rows):
    total = sum(rows.values())
    if total < trial.args.min_rows:
        trial.crit("rows", "%d rows in %d tables, fewer than %d" % (total, len(rows), trial.args.min_rows), "G11")
    for table, least in trial.args.tables.items():
        found = [count for name, count in rows.items() if name == table or name.split(".")[-1] == table]
        if not found:
            trial.crit("rows", "it has no table %s" % table, "G11")
        elif sum(found) < int(least):
            trial.crit("rows", "%s has %d rows, fewer than %s" % (table, sum(found), least), "G11")


def _judge(trial, check, value, error):
    name = check.get("name") or " ".join(check["query"].split())[:80]
    wrong = error
    if not wrong and check.get("expect") is not None and str(value) != str(check["expect"]):
        wrong = "%s, expected %s" % (value, check["expect"])
    for bound, is_bad in (("min", lambda number, limit: number < limit), ("max", lambda number, limit: number > limit)):
        if not wrong and check.get(bound) is not None and is_bad(float(value or 0), float(check[bound])):
            wrong = "%s, %s is %s" % (value, bound, check[bound])
    level = check.get("level", "crit") if wrong else "ok"
    trial.report.add("query", level, "%s: %s" % (name, wrong or "%s, as expected" % value), "G11")


RESTORERS = {"tar": _restore_tar, "sqlite": _restore_sqlite, "pg_plain": _restore_plain, "pg_custom": _restore_custom}
