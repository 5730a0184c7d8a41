"""How these tests render: values compiled as if they stood in a playbook, and values that came from a host."""

from __future__ import annotations

from typing import Any

from opsplay.source.yaml_reader import parse_yaml
from opsplay.templating.scope import DictScope
from opsplay.templating.templar import Templar
from opsplay.templating.values import compile_plain, compile_value


def scope_of(text: str = "", **data: Any) -> DictScope:
    """`text` is YAML of a playbook's vars; `data` is plain, as a host's facts and results are."""
    node = parse_yaml(text) if text.strip() else None
    values = compile_value(node) if node is not None else {}
    assert isinstance(values, dict)
    return DictScope({**values, **data})


def render(value: Any, scope: DictScope | None = None, templar: Templar | None = None) -> Any:
    return (templar or Templar()).render(compile_plain(value), scope or DictScope())
