"""Results as Ansible's output shows them: which keys, in which shape; for scripts that read that output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_NEVER = ("failed", "skipped", "warnings", "deprecations")  # said by the line itself, or on stderr
_AROUND_DEBUG = frozenset({"changed", "invocation", "failed_when_result", "ansible_loop", "ansible_loop_var", "ansible_index_var"})


def shown_result(result: Mapping[str, Any], verbosity: int, is_debug: bool = False, spread: bool = False) -> str:
    """The result as JSON: in one line; spread out where asked for, for debug, and from -vvv on."""
    kept = {key: value for key, value in result.items() if _shown(key, result, verbosity)}
    if is_debug:
        kept = {"msg": kept["msg"]} if "msg" in kept else {key: value for key, value in kept.items() if key not in _AROUND_DEBUG} or kept
    indent = 4 if is_debug or spread or verbosity >= 3 else None
    return json.dumps(kept, indent=indent, sort_keys=True, ensure_ascii=False, default=str)


def _shown(key: str, result: Mapping[str, Any], verbosity: int) -> bool:
    if key.startswith("_ansible_") or key in _NEVER:
        return False
    if key in ("invocation", "diff"):
        return verbosity >= 3
    return not (key == "exception" and verbosity < 3 and "msg" in result)
