"""The `module` fixture: a module of ours, run as a task would."""

from __future__ import annotations

from typing import Any

import pytest
from module_call import run_module


@pytest.fixture
def module() -> Any:
    return run_module
