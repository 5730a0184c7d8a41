"""Whom a line of Ansible's output names: the host, and where its task ran instead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from opsplay.report.ansible_compat import _host


@pytest.mark.parametrize(("delegated", "label"), [("", "[web1]"), ("db1", "[web1 -> db1]"), ("web1", "[web1]")])
def test_label(delegated: str, label: str) -> None:
    event: Any = SimpleNamespace(host="web1", delegated_to=delegated)
    assert _host(event) == label
