"""Owns the small steps that the seed scripts are made of; runs inside the image, with its python3."""

import gzip
import json as jsons
import os
import subprocess
import sys
import time
from pathlib import Path

FILES = Path(__file__).with_name("files")
# A reduced lab seeds a folder of this machine as its user, where the image's own root is "/".
ROOT = Path(os.environ.get("LAB_SEED_ROOT", "/"))
REAL = Path("/") == ROOT
AGES = Path("/var/lib/opsplay-lab/ages")
DAY = 86400


def at(path: str) -> Path:
    return ROOT / path.lstrip("/")


def own(owner: str, path: Path) -> None:
    """Give the tree to its owner; in a reduced lab everything stays its user's."""
    if REAL:
        run("chown", "-R", owner, str(path))


def run(*command: str, text: str | None = None, user: str = "") -> str:
    """The output of a command that must succeed, as root or as `user`."""
    words = ["runuser", "-u", user, "--", *command] if user and REAL else list(command)
    done = subprocess.run(words, input=text, text=True, capture_output=True, cwd="/", timeout=120)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def write(path: str, text: str | bytes, mode: int = 0o644) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file


def age(path: Path, days: float) -> None:
    """Note that the file is to look so old whenever a lab starts; the image itself may be cached for months."""
    if not REAL:
        moment = time.time() - days * DAY
        os.utime(path, (moment, moment), follow_symlinks=False)
        return
    AGES.mkdir(parents=True, exist_ok=True)
    with (AGES / f"{Path(sys.argv[0]).stem}.tsv").open("a") as ages:
        ages.write(f"{int(days * DAY)}\t{path}\n")


def gzipped(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    path.chmod(0o640)


def log_lines(count: int, json: bool) -> str:
    """Application log lines of the last hours, numbered, with a warning here and an error there."""
    now = time.time()
    make = json_line if json else plain_line
    return "".join(make(number, now - (count - number) * 5) for number in range(1, count + 1))


def level_of(number: int) -> str:
    return "ERROR" if number % 97 == 0 else "WARNING" if number % 29 == 0 else "INFO"


def stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def plain_line(number: int, moment: float) -> str:
    return f"{stamp(moment)} {level_of(number)} app[{os.getpid()}] seq={number} handled request in {number % 113} ms\n"


def json_line(number: int, moment: float) -> str:
    record = {"time": stamp(moment), "level": level_of(number), "seq": number, "ms": number % 113}
    return jsons.dumps(record) + "\n"
