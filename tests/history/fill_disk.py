"""A run on a full disk, for test_history_disk_full.py. Prints what happened as JSON. Arguments: state folder, when it fills."""

import errno
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from weekly_run import weekly_run

from opsplay.errors import EXIT_CODES, OpsError
from opsplay.events import TaskStarted
from opsplay.history.journal import Journal
from opsplay.history.record import record
from opsplay.report.summary import RunSummary


def fill(state: Path) -> None:
    """Other programs' data: not one byte is left."""
    handle = os.open(state / "ballast", os.O_WRONLY | os.O_CREAT)
    for size in (65536, 4096, 512, 64, 1):
        try:
            while True:
                os.write(handle, b"x" * size)
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
    os.close(handle)


def main(state: Path, when: int) -> int:
    """The engine's part: what it does when a listener raises. Ends the run, lets running tasks report, starts nothing."""
    summary, events = RunSummary(), weekly_run()
    record(RunSummary.from_events(weekly_run()), state / "history.sqlite3")
    accepted, failure, journal = 0, None, None
    try:
        journal = Journal(state, "20261122-100000-ffffff")
        for number, event in enumerate(events):
            if number == when:
                fill(state)
            try:
                journal(event)
            except OpsError as error:
                failure = error
            else:
                accepted += failure is not None and isinstance(event, TaskStarted)
            summary(event)
        if when >= len(events):
            fill(state)
        record(summary, state / "history.sqlite3")
    except OpsError as error:
        failure = error
    lines = journal.path.read_text().splitlines() if journal else []
    for line in lines:
        json.loads(line)
    answer = {"failure": failure.code if failure else None, "lines": len(lines), "last": json.loads(lines[-1])["event"] if lines else "",
              "accepted": accepted, "exit": EXIT_CODES[failure.fault] if failure else 0}  # fmt: skip
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
