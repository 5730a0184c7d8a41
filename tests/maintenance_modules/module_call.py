"""Runs a module as a task would: arguments checked from its SPEC, then perform() in this process."""

from __future__ import annotations

import importlib
from typing import Any

from opsplay.actions.arguments import typed_arguments
from opsplay.remote.perform import perform
from opsplay.remote.system import System


def run_module(name: str, check: bool = False, diff: bool = False, **arguments: Any) -> dict[str, Any]:
    module = importlib.import_module(f"opsplay.remote.modules.{name}")
    return perform(module, System(check=check, diff=diff), typed_arguments(name, module.SPEC, arguments))
