"""Owns the backups of files: SQLite copies and tar archives under /var/backups, good ones and broken ones."""

import io
import random
import sqlite3
import tarfile
from pathlib import Path

from steps import age, at, write

SQLITE = at("/var/backups/sqlite")
TAR = at("/var/backups/files")


def sqlite_database(path: Path, orders: int, padding: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, note TEXT)")
        rows = [(number, f"customer {number % 50}", "n" * padding) for number in range(1, orders + 1)]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
        database.execute("CREATE INDEX orders_customer ON orders (customer)")
    database.close()
    return path


def sqlite_backups() -> None:
    good = sqlite_database(SQLITE / "app.sqlite3", orders=500).read_bytes()
    write(str(SQLITE / "app-truncated.sqlite3"), good[: len(good) // 2])
    write(str(SQLITE / "app-flipped.sqlite3"), flipped(good, 4096 * 2 + 3, width=40))
    write(str(SQLITE / "app-empty.sqlite3"), b"")
    write(str(SQLITE / "app-old.sqlite3"), good)
    sqlite_database(SQLITE / "app-zero-rows.sqlite3", orders=0)
    freshness(SQLITE)


def flipped(data: bytes, at: int, width: int = 1) -> bytes:
    """The data with some bytes turned over, as bad memory or a bad disk leaves it."""
    return data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + width]) + data[at + width :]


def tar_backups() -> None:
    pages = {f"www/page-{number}.html": f"<h1>page {number}</h1>\n" * 50 for number in range(5)}
    noise = random.Random(1)
    pages["www/asset.hex"] = "".join(f"{noise.getrandbits(256):064x}\n" for _ in range(2000))
    good = archive(pages)
    write(str(TAR / "site.tar.gz"), good)
    write(str(TAR / "site-truncated.tar.gz"), good[: len(good) // 2])
    write(str(TAR / "site-flipped.tar.gz"), flipped(good, len(good) // 2))
    write(str(TAR / "site-empty.tar.gz"), b"")
    write(str(TAR / "site-old.tar.gz"), good)
    write(str(TAR / "site-no-files.tar.gz"), archive({}))
    write(str(TAR / "site-hostile.tar.gz"), archive({"../../../../etc/lab-owned": "owned\n"}, link="/etc"))
    freshness(TAR)


def archive(files: dict[str, str], link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        if link:
            pointer = tarfile.TarInfo("www/etc")
            pointer.type, pointer.linkname = tarfile.SYMTYPE, link
            tar.addfile(pointer)
    return out.getvalue()


def freshness(folder: Path) -> None:
    """All from last night, save those that are broken by being old."""
    for path in folder.iterdir():
        age(path, 40 if "-old" in path.name else 0.3)
