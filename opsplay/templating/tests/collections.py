"""Tests of community.general."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

from opsplay.templating.texts import to_text
from opsplay.templating.undefined import type_name

LABEL = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$")


def ansible_type(value: Any, dtype: Any, alias: Any = None) -> bool:
    """Whether the value is of one of the types."""
    wanted = [dtype] if isinstance(dtype, str) else list(dtype)
    name = type_name(value)
    return (alias or {}).get(name, name) in wanted


def fqdn_valid(value: Any, min_labels: int = 1, allow_underscores: bool = False) -> bool:
    """Whether the text is a valid host name."""
    labels = to_text(value).rstrip(".").split(".")
    if len(labels) < min_labels or len(to_text(value)) > 253:
        return False
    return all(LABEL.match(label) and (allow_underscores or "_" not in label) for label in labels)


def a_module(name: Any) -> bool:
    """Whether there is a module or an action of that name."""
    short = to_text(name).rpartition(".")[2]
    if not short.isidentifier():
        return False
    packages = ("opsplay.remote.modules", "opsplay.actions")
    return any(importlib.util.find_spec(f"{package}.{short}") is not None for package in packages)


TESTS = {"a_module": a_module, "ansible_type": ansible_type, "fqdn_valid": fqdn_valid}
