"""Plugins: which filters, tests and lookups there are: ours, Jinja's and the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Function = Callable[..., Any]


class LookupContext(Protocol):
    """What lookups may ask of the engine. Every part may be missing."""

    basedir: str

    def find_file(self, subdir: str, name: str) -> str | None: ...
    def inventory_hostnames(self, pattern: str) -> list[str]: ...


class Plugins:
    def filter_table(self, builtin: Mapping[str, Function]) -> dict[str, Function]:
        return dict(builtin)

    def test_table(self, builtin: Mapping[str, Function]) -> dict[str, Function]:
        return dict(builtin)

    def functions(self) -> dict[str, Function]:
        return {}
