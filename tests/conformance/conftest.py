"""The source package of ansible-core, for the tests that read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import source


@pytest.fixture(scope="session")
def checkout() -> Path:
    return source.checkout()  # where it cannot be fetched the tests fail, and say why
