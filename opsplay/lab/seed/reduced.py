"""Owns what a host of a reduced lab has: the same files below a folder of its own; called with the host's role."""

import os
import sys

from application_logs import application_logs
from backups import sqlite_backups, sqlite_database, tar_backups
from steps import age, at, write

NAMES = ("report-1.tmp", "upload.part", "core.4711", ".hidden-old", "two words.tmp", "tree/a/deep.tmp")


def main(role: str) -> None:
    application_logs(at("/var/log/app"))
    age(write(str(at("/srv/precious/ledger.txt")), "worth more than this host\n"), 400)
    for folder, days in (("/tmp", 20), ("/var/tmp", 45)):
        for name in NAMES:
            age(write(str(at(folder) / name), "left over\n"), days)
        write(str(at(folder) / "fresh.tmp"), "in use\n")
        os.symlink(at("/srv/precious/ledger.txt"), at(folder) / "link-to-ledger")
        age(at(folder) / "link-to-ledger", days)
    if role == "web":
        sqlite_database(at("/srv/app/app.sqlite3"), orders=500)
    if role in ("web", "db"):
        sqlite_backups()
    if role != "cache":
        tar_backups()
    if "PGPORT" in os.environ:
        from postgres import load, postgres_backups

        load()
        postgres_backups()


main(sys.argv[1])
