"""Owns the application's logs of the past: current, rotated, too big, stale and empty ones."""

from pathlib import Path

from steps import age, gzipped, log_lines, own, write


def application_logs(folder: Path) -> None:
    plain, lines = log_lines(3000, json=False), log_lines(3000, json=True)
    write(str(folder / "app.log"), plain, mode=0o640)
    write(str(folder / "app.jsonl"), lines, mode=0o640)
    write(str(folder / "app.log.1"), plain, mode=0o640)
    for number, days in ((2, 2), (3, 9), (4, 35), (5, 60)):
        gzipped(folder / f"app.log.{number}.gz", plain)
        age(folder / f"app.log.{number}.gz", days)
    age(folder / "app.log.1", 1)
    big = folder / "big.log"
    write(str(big), log_lines(2000, json=False), mode=0o640)
    with big.open("r+b") as log:
        log.truncate(24 << 20)
    write(str(folder / "stale.log"), log_lines(50, json=False), mode=0o640)
    age(folder / "stale.log", 20)
    write(str(folder / "empty.log"), "", mode=0o640)
    own("app:adm", folder)
    folder.chmod(0o750)
