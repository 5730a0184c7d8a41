"""The pytest plugin: makes `opsplay://group` known to testinfra. Loaded in every pytest run, so it imports next to nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

BACKEND = "opsplay.verify.backend.OpsplayBackend"


def pytest_configure(config: pytest.Config) -> None:
    """Testinfra is there as soon as its own plugin is; without that there is nobody to tell."""
    if "testinfra" in sys.modules:
        from testinfra.backend import BACKENDS

        BACKENDS["opsplay"] = BACKEND


def pytest_unconfigure(config: pytest.Config) -> None:
    connections = sys.modules.get("opsplay.verify.connections")
    if connections is not None:
        connections.OPEN.close()
