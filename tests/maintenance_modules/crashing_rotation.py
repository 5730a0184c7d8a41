"""Rotates a log in a process that dies before its n-th change of the file system: crashing_rotation.py STEP LOG SUFFIX."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from module_call import run_module

DIED = 9


def main(step: int, log: str, suffix: str) -> None:
    count = [0]

    def fragile(call: Any) -> Any:
        def wrapped(*args: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == step:
                os._exit(DIED)
            return call(*args, **options)

        return wrapped

    for name in ("rename", "link", "unlink", "open", "fsync", "fchmod", "utime", "kill"):
        setattr(os, name, fragile(getattr(os, name)))
    run_module("log_rotate", path=log, max_size="1", suffix=suffix)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
