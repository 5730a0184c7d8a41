"""Modules on the lab's real hosts: `remote(host, module, args)` runs one there and gives its result."""

from __future__ import annotations

from typing import Any

import pytest
from runs_on_lab import Remote, run_on

from opsplay.lab import Lab
from opsplay.lab.pytest_fixtures import lab, lab_host_reset  # noqa: F401


@pytest.fixture
def remote(lab: Lab) -> Remote:  # noqa: F811
    """`remote("web1", "apt", {...}, check=True)`"""
    return lambda host, module, args=None, **flags: run_on(lab, host, module, args or {}, **flags)


@pytest.fixture
def proved(lab: Lab) -> Remote:  # noqa: F811
    """Check mode, the run and the second run: predicted, done, and nothing left to do. Gives the run's result."""
    def prove(host: str, module: str, args: dict[str, Any]) -> dict[str, Any]:
        predicted = run_on(lab, host, module, args, check=True)
        done = run_on(lab, host, module, args)
        assert not done.get("failed"), done
        assert predicted["changed"] == done["changed"], (predicted, done)
        assert predicted.get("diff") == done.get("diff"), (predicted.get("diff"), done.get("diff"))
        again = run_on(lab, host, module, args)
        assert again["changed"] is False, again
        return done
    return prove
