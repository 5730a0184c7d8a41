"""Owns what a database host has: PostgreSQL with bloated tables, and backups of it, good and broken."""

from backups import sqlite_backups, tar_backups
from postgres import load, postgres_backups
from steps import run, write

SETTINGS = """\
listen_addresses = '*'
shared_buffers = 16MB
max_connections = 60
fsync = off
"""


def main() -> None:
    write("/etc/postgresql/15/main/conf.d/lab.conf", SETTINGS)
    with open("/etc/postgresql/15/main/pg_hba.conf", "a") as access:
        access.write("host all all samenet scram-sha-256\n")
    run("pg_ctlcluster", "15", "main", "start")
    load()
    postgres_backups()
    run("pg_ctlcluster", "15", "main", "stop")
    run("systemctl", "enable", "postgresql.service")
    sqlite_backups()
    tar_backups()


main()
