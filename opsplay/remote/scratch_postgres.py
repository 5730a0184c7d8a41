"""A throwaway PostgreSQL cluster inside a Scratch: restores go in by a role that may do nothing else.

The server listens on a unix socket in the private folder only. Travels to hosts: Python 3.6 syntax.
"""

import glob
import os
import re

from opsplay.remote.spec import ModuleFailure

CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '%s'
port = 5432
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
max_connections = 20
max_wal_senders = 0
wal_level = minimal
shared_buffers = '32MB'
archive_mode = off
shared_preload_libraries = ''
logging_collector = off
"""
# CVE-2025-8714, CVE-2025-8715: before these, a dump could make its restorer run commands.
SAFE_CLIENT = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
SUPER, OWNER, DATABASE = "opsplay_super", "opsplay_restore", "scratch"


class Programs(object):
    """PostgreSQL's programs on this host, the newest unless named."""

    def __init__(self, system, folder=None):
        found = [folder] if folder else _folders(system)
        if not found:
            raise ModuleFailure("no PostgreSQL server programs are on this host (initdb): the backup cannot be restored here", absent=True)
        self.folder = found[-1]
        shown = system.run([self.at("postgres"), "--version"]).stdout
        version = re.search(r"(\d+)\.(\d+)", shown)
        if not version:
            raise ModuleFailure("%s does not tell its version: %s" % (self.at("postgres"), shown.strip()[:100]))
        self.major, self.minor = int(version.group(1)), int(version.group(2))

    def at(self, name):
        return os.path.join(self.folder, name)

    @property
    def restricted(self):
        """Does psql know \\restrict?"""
        return self.major >= 18 or self.minor >= SAFE_CLIENT.get(self.major, 9999)

    def require_safe(self):
        if not self.restricted:
            raise ModuleFailure("PostgreSQL %d.%d restores dumps unsafely (CVE-2025-8714): update it before anything is restored"
                                % (self.major, self.minor))


def _folders(system):
    found = [os.path.dirname(path) for path in glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/usr/pgsql-*/bin/initdb")]
    found.sort(key=lambda path: int(re.search(r"(\d+)", path).group(1)))
    there = system.which("initdb")
    return found or ([os.path.dirname(there)] if there else [])


class Cluster(object):
    def __init__(self, scratch, programs):
        self.scratch = scratch
        self.programs = programs
        self.data = scratch.at("home", "data")
        self.superuser = SUPER

    def create(self):
        done = self.scratch.run([self.programs.at("initdb"), "-D", self.data, "-U", SUPER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
                                timeout=120)
        if done.rc:
            raise ModuleFailure("no scratch cluster could be made: %s" % done.stderr.strip()[-300:])
        self.scratch.put("data/postgresql.conf", CONFIGURATION % self.scratch.home)
        self.start()
        for statement in ("CREATE ROLE %s LOGIN NOSUPERUSER CREATEDB" % OWNER,
                          "CREATE DATABASE %s OWNER %s TEMPLATE template0" % (DATABASE, OWNER)):
            self.require(self.query(statement, SUPER, "postgres"))
        self.require(self.query("ALTER SCHEMA public OWNER TO %s" % OWNER, SUPER))

    def start(self, timeout=120):
        log = self.scratch.at("home", "log")
        done = self.scratch.run([self.programs.at("pg_ctl"), "-D", self.data, "-l", log, "-w", "-t", str(timeout), "start"], timeout=timeout + 10)
        if done.rc:
            raise ModuleFailure("the scratch server did not start: %s" % self.complaint(log))

    def complaint(self, log):
        lines = self.scratch.run(["tail", "-n", "200", log]).stdout.splitlines()
        bad = [line for line in lines if re.search(r"FATAL|PANIC|ERROR", line)]
        return (bad or lines or ["it said nothing"])[0][-300:]

    def psql(self, arguments, user=OWNER, database=DATABASE, timeout=None):
        base = [self.programs.at("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.scratch.home, "-p", "5432", "-U", user, "-d", database]
        return self.scratch.run(base + list(arguments), timeout=timeout)

    def query(self, statement, user=OWNER, database=DATABASE, timeout=None):
        """By -c, which knows no backslash commands inside a statement. Fields are split by the unit separator."""
        return self.psql(["-A", "-t", "-F", "\x1f", "-c", statement], user, database, timeout)

    @staticmethod
    def require(done):
        if done.rc:
            raise ModuleFailure(done.stderr.strip()[-300:])
        return done.stdout

    def rows(self, user=OWNER, database=DATABASE):
        """Rows of every table: {"schema.table": count}."""
        listed = self.require(self.query(
            "SELECT pg_catalog.format('SELECT %L, pg_catalog.count(*) FROM %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname) "
            "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') "
            "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' ORDER BY 1 LIMIT 2000", user, database))
        statements = [line for line in listed.split("\n") if line.startswith("SELECT ")]
        if not statements:
            return {}
        counted = self.require(self.query(" UNION ALL ".join(statements), user, database))
        pairs = [line.rsplit("\x1f", 1) for line in counted.split("\n") if "\x1f" in line]
        return {name: int(count) for name, count in pairs}
