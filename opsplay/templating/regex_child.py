"""The regular expression operations as plain data; also run as a child process that may be killed."""

# Standard library only: it is started as `python -I -S regex_child.py` and answers JSON lines.
from __future__ import annotations

import json
import re
import sys
from typing import Any


def perform(operation: str, pattern: str, flags: int, text: str, replacement: str = "", count: int = 0) -> Any:
    compiled = re.compile(pattern, flags)
    if operation == "findall":
        return [list(found) if isinstance(found, tuple) else found for found in compiled.findall(text)]
    if operation == "sub":
        return list(compiled.subn(replacement, text, count))
    found = getattr(compiled, operation)(text)
    return None if found is None else [[found[0], *found.groups()], found.groupdict()]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": perform(**request)}
    except (re.error, IndexError, MemoryError, OverflowError, RecursionError) as error:
        return {"error": str(error) or type(error).__name__}


def limit_memory(megabytes: int = 256) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


if __name__ == "__main__":
    limit_memory()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
