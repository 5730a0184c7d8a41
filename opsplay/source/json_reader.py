"""JSON files and plain data to nodes; they know their file, and nothing finer."""

from __future__ import annotations

import json

from opsplay.errors import OpsError, Where
from opsplay.source.limits import PLAYBOOK, Limits
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode, UnsafeText, VaultText

# How Ansible writes into JSON what YAML has tags for.
WRAPPERS = {"__ansible_unsafe": UnsafeText, "__ansible_vault": VaultText}


def parse_json(text: str, path: str, limits: Limits = PLAYBOOK) -> Node | None:
    """A JSON text as nodes. What is no JSON is read as YAML, of which JSON is nearly a subset."""
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except RecursionError:
        raise OpsError("yaml-too-deep", "nested too deep", Where(path, 1, 1), "Make the data flatter.") from None
    except ValueError:
        from opsplay.source.yaml_reader import parse_yaml

        return parse_yaml(text, path, limits=limits)
    try:
        return node_from_plain(unwrapped(value), Where(path), limits.depth)
    except ValueError as error:
        raise OpsError("json-bad-value", str(error), Where(path, 1, 1), "Write a text.") from None


def unwrapped(value: object) -> object:
    """The value with `{"__ansible_unsafe": TEXT}` and `{"__ansible_vault": TEXT}` as what they stand for. Raises ValueError."""
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    if not isinstance(value, dict):
        return value
    name = next(iter(value), "")
    if len(value) != 1 or name not in WRAPPERS:
        return {key: unwrapped(item) for key, item in value.items()}
    if not isinstance(value[name], str):
        raise ValueError(f"{name} is a text, not {type(value[name]).__name__!r}")
    return WRAPPERS[name](value[name])


def node_from_plain(value: object, where: Where, depth: int = PLAYBOOK.depth) -> Node:
    """Plain Python data as nodes that all stand at one place."""
    if depth < 0:
        raise OpsError("yaml-too-deep", "nested too deep", where, "Make the data flatter.")
    if isinstance(value, dict):
        pairs = tuple((ScalarNode(key, where), node_from_plain(item, where, depth - 1)) for key, item in value.items())
        return MapNode(pairs, where)
    if isinstance(value, (list, tuple)):
        return ListNode(tuple(node_from_plain(item, where, depth - 1) for item in value), where)
    return ScalarNode(value, where)
