"""Log file: what ansible.cfg's log_path asks for: the run's output, each line with its time, process, user and level."""

from __future__ import annotations

import getpass
import io
import os
import time
from pathlib import Path
from typing import TextIO, cast

from opsplay.report.ansible_compat import AnsibleOutput
from opsplay.report.output import Output

LEVELS = {"[ERROR]": "ERROR", "fatal:": "ERROR", "failed:": "ERROR", "[WARNING]": "WARNING"}


class LogStream(io.TextIOBase):
    """Text that is written becomes lines of the file; a file that cannot be written falls silent, as any output does."""

    encoding = "utf-8"

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self.source = f"p={os.getpid()} u={_user()} n=ansible"

    def write(self, text: str) -> int:
        now = time.time()
        stamp = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03}"
        for line in text.splitlines():
            if line.strip():
                self.file.write(f"{stamp} {self.source} {_level(line)}| {line}\n")
        return len(text)

    def flush(self) -> None:
        self.file.flush()


def log_listener(path: str, verbosity: int) -> AnsibleOutput:
    """A listener. Raises OSError where the file cannot be opened."""
    output = Output(cast(TextIO, LogStream(Path(path))), {"LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
    return AnsibleOutput(output, output, verbosity=verbosity)


def _level(line: str) -> str:
    return next((level for mark, level in LEVELS.items() if line.startswith(mark)), "INFO")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
