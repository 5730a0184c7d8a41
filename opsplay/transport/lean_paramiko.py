"""Imports paramiko without what it wants for the rare case only: invoke (for `Match exec`) and importlib.metadata.

They are a sixth of the time that a run needs to start. What is left out here is there when it is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any


class _Later:
    """Stands for a module until an attribute of it is wanted."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def _version(name: str) -> str:
    """The installed version by the folder beside the package, as importlib.metadata would find it."""
    spec = importlib.util.find_spec(name)
    places = [os.path.dirname(place) for place in (spec.submodule_search_locations or ())] if spec else []
    for place in places:
        for entry in os.listdir(place):
            if entry.startswith(name + "-") and entry.endswith(".dist-info"):
                return entry[len(name) + 1 : -len(".dist-info")]
    return "unknown"


def _load() -> None:
    stand_ins: dict[str, Any] = {"invoke": None}  # None makes an import fail, which paramiko allows for
    metadata = ModuleType("importlib.metadata")
    metadata.version = _version  # type: ignore[attr-defined]
    stand_ins["importlib.metadata"] = metadata
    placed = [name for name in stand_ins if name not in sys.modules]
    for name in placed:
        sys.modules[name] = stand_ins[name]
    try:
        import paramiko.config
    finally:
        for name in placed:
            del sys.modules[name]
    if "invoke" in placed:
        paramiko.config.invoke = _Later("invoke")
    if "importlib.metadata" in placed and getattr(importlib, "metadata", None) is metadata:
        del importlib.metadata


if "paramiko" not in sys.modules:
    _load()
