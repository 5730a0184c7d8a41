"""Owns what a web host has: an application with an SQLite file, and backups of both kinds, good and broken."""

from pathlib import Path

from backups import sqlite_backups, sqlite_database, tar_backups
from steps import run, write

for number in range(5):
    write(f"/srv/app/www/page-{number}.html", f"<h1>page {number}</h1>\n" * 50)
sqlite_database(Path("/srv/app/app.sqlite3"), orders=500)
run("chown", "-R", "app:adm", "/srv/app")
sqlite_backups()
tar_backups()
