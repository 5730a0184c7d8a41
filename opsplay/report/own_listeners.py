"""Listeners of users: a Python file with `listen(event)`, which is told of everything that a run does."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opsplay.errors import Fault, OpsError
from opsplay.events import Event

Listen = Callable[[Mapping[str, Any]], None]


class OwnListener:
    """Gives events as the journal has them, secrets masked. One that raises is warned of and told no more: the run goes on."""

    def __init__(self, path: str, listen: Listen) -> None:
        self.path, self.listen = path, listen
        self.silenced = False

    def __call__(self, event: Event) -> None:
        if self.silenced:
            return
        try:
            self.listen(event.as_json())
        except Exception as error:
            self.silenced = True
            sys.stderr.write(f"[WARNING]: the listener {self.path} failed and is told no more: {type(error).__name__}: {error}\n")


def own_listener(path: str) -> OwnListener:
    """Raises OpsError for a file that cannot be loaded or has no `listen`."""
    file = Path(path).expanduser()
    try:
        spec = importlib.util.spec_from_file_location(f"opsplay_listener_{file.stem}", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return OwnListener(str(file), module.listen)
    except Exception as error:
        raise OpsError("bad-listener", f"the listener {file} cannot be used: {type(error).__name__}: {error}", fault=Fault.USAGE,
                       remedy="A listener is a Python file with a function listen(event).") from None  # fmt: skip
