"""Restoring a PostgreSQL base backup (a folder, plain or in tar files): copied, started, and asked. Python 3.6 syntax."""

import glob
import os
import re
import shutil
import struct
import tarfile

from opsplay.remote import scratch_postgres
from opsplay.remote.spec import ModuleFailure

OURS = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf", "standby.signal", "recovery.signal", "recovery.conf",
        "postmaster.pid", "postmaster.opts")


def restore(trial):
    programs = scratch_postgres.Programs(trial.system, trial.args.pg_bin)
    source = trial.report.path
    cluster = scratch_postgres.Cluster(trial.scratch, programs)
    cluster.data = trial.scratch.at("data")  # root's until all is in place
    _check_manifest(trial, programs, source)
    _copy(trial, source, cluster.data)
    _require_version(cluster.data, programs)
    _check_wal(os.path.join(cluster.data, "pg_wal"))
    _tablespaces(trial, source, cluster.data)
    _configure(trial, cluster.data)
    _own(trial)
    cluster.start()
    _ask(trial, cluster)


def _check_manifest(trial, programs, source):
    """pg_verifybackup compares every file with the manifest, and the WAL it needs (PostgreSQL 13+)."""
    if not os.path.exists(os.path.join(source, "backup_manifest")) or not os.path.exists(programs.at("pg_verifybackup")):
        trial.report.add("manifest", "warn", "no manifest to compare with", "G04")
        return
    if glob.glob(os.path.join(source, "base.tar*")):
        return
    done = trial.system.run([programs.at("pg_verifybackup"), "-q", source])
    if done.rc:
        raise ModuleFailure("pg_verifybackup: %s" % (done.stderr.strip().splitlines() or ["failed"])[0][-300:])


def _copy(trial, source, data):
    archives = sorted(glob.glob(os.path.join(source, "base.tar*")))
    if not archives:
        if not os.path.exists(os.path.join(source, "PG_VERSION")):
            raise ModuleFailure("%s is no base backup: it has neither PG_VERSION nor base.tar" % source)
        shutil.copytree(source, data, symlinks=True)
        return
    os.mkdir(data, 0o700)
    _unpack(archives[0], data)
    for wal in glob.glob(os.path.join(source, "pg_wal.tar*")):
        _unpack(wal, os.path.join(data, "pg_wal"))
    for archive in glob.glob(os.path.join(source, "[0-9]*.tar*")):
        folder = trial.scratch.at("space-" + os.path.basename(archive).split(".")[0])
        os.mkdir(folder, 0o700)
        _unpack(archive, folder)


def _unpack(archive, target):
    """Plain files and folders inside `target` only; anything else in a base backup is hostile or broken."""
    os.makedirs(target, 0o700, exist_ok=True)
    with tarfile.open(archive, "r:*") as members:
        for member in members:
            path = os.path.normpath(os.path.join(target, member.name))
            if not (path + "/").startswith(target + "/") or not (member.isreg() or member.isdir() or member.issym()):
                raise ModuleFailure("hostile member in %s: %r" % (os.path.basename(archive), member.name))
            if member.isdir():
                os.makedirs(path, 0o700, exist_ok=True)
            elif member.isreg():
                os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
                with open(path, "xb") as copy:
                    shutil.copyfileobj(members.extractfile(member), copy)


def _check_wal(folder):
    """Every segment is as long as its first page says; PostgreSQL itself notices only when it reads that far."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not re.match(r"^[0-9A-F]{24}$", name):
            continue
        with open(path, "rb") as stream:
            head = stream.read(40)
        wanted = struct.unpack("=I", head[32:36])[0] if len(head) == 40 else None
        if os.path.getsize(path) != wanted:
            raise ModuleFailure("WAL segment %s is cut off: %d bytes" % (name, os.path.getsize(path)))


def _require_version(data, programs):
    with open(os.path.join(data, "PG_VERSION")) as stream:
        made_by = int(stream.read().split(".")[0])
    if made_by != programs.major:
        raise ModuleFailure("made by PostgreSQL %d; this host has %d and cannot start it" % (made_by, programs.major))


def _tablespaces(trial, source, data):
    """The copy must never reach into the real tablespaces: each link is replaced by a copy of what it leads to."""
    links = os.path.join(data, "pg_tblspc")
    mapped = _mapped(data)
    for oid in sorted(set(os.listdir(links) if os.path.isdir(links) else ()) | set(mapped)):
        link, copy = os.path.join(links, oid), trial.scratch.at("space-" + oid)
        where = os.readlink(link) if os.path.islink(link) else mapped.get(oid, "?")
        if not os.path.isdir(copy):
            if not os.path.isdir(where) or not glob.glob(os.path.join(where, "PG_*")):
                raise ModuleFailure("tablespace %s is missing: %s" % (oid, where))
            shutil.copytree(where, copy, symlinks=True)
        if os.path.islink(link):
            os.unlink(link)
        os.symlink(copy, link)
    stale = os.path.join(data, "tablespace_map")
    if os.path.exists(stale):
        os.unlink(stale)


def _mapped(data):
    try:
        with open(os.path.join(data, "tablespace_map")) as stream:
            return dict(line.rstrip("\n").split(" ", 1) for line in stream if " " in line)
    except OSError:
        return {}


def _configure(trial, data):
    for name in OURS:
        path = os.path.join(data, name)
        if os.path.lexists(path):
            os.unlink(path)
    text = (scratch_postgres.CONFIGURATION % trial.scratch.home).replace("wal_level = minimal", "wal_level = replica")
    for name, content in (("postgresql.conf", text + "hot_standby = off\n"), ("pg_hba.conf", "local all all trust\n"), ("pg_ident.conf", "")):
        with open(os.path.join(data, name), "w") as stream:
            stream.write(content)


def _own(trial):
    """Rights first, while all of it is still ours alone; then the ordinary user gets it."""
    for name in os.listdir(trial.scratch.path):
        top = trial.scratch.at(name)
        if name != "data" and not name.startswith("space-"):
            continue
        for folder, _, _ in os.walk(top):
            os.chmod(folder, 0o700)
        trial.scratch.give_tree(top)


def _ask(trial, cluster):
    from opsplay.remote.modules.backup_verify import ask
    listed = cluster.query("SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1", "postgres", "postgres")
    databases = cluster.require(listed).split("\n")[:-1]
    wanted = trial.args.database
    if wanted and wanted not in databases:
        trial.crit("database", "it has no database %s, only %s" % (wanted, ", ".join(databases)))
        return
    rows = {}
    for database in [wanted] if wanted else databases:
        rows.update(cluster.rows("postgres", database))
    trial.done(rows)
    ask(trial, cluster, "postgres", wanted or "postgres")
