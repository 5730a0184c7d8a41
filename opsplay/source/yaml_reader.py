"""YAML files: path or text to nodes, each with its place; the only way that YAML enters opsplay."""

from __future__ import annotations

import os

from opsplay.errors import OpsError, Where
from opsplay.source.limits import PLAYBOOK, Limits
from opsplay.source.nodes import ListNode, MapNode, Node
from opsplay.source.text_file import Opener, check_characters, decode, open_vaulted, read_bytes, too_big
from opsplay.source.yaml_tree import Duplicates, TreeReader, Warn

_CACHE_SIZE = 2048
_cache: dict[tuple[object, ...], Node | None] = {}


def read_yaml(
    path: str | os.PathLike[str],
    *,
    vault: Opener | None = None,
    limits: Limits = PLAYBOOK,
    duplicates: Duplicates = "error",
    warn: Warn | None = None,
) -> Node | None:
    """The one document of a YAML or JSON file; None where it is empty. Read again only when the file has changed."""
    name = os.fspath(path)
    key = _cache_key(name, limits, duplicates)
    if key is not None and key in _cache:
        return _cache[key]
    data = read_bytes(name, limits)
    plain = open_vaulted(data, name, vault)
    said: list[OpsError] = []
    node = _parse_file(plain, name, limits, duplicates, said.append if warn else None)
    for error in said:
        assert warn is not None
        warn(error)
    if key is not None and plain is data and not said and (warn or duplicates != "warn"):
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[key] = node
    return node


def is_written(text: str) -> bool:
    """Whether the text is a value of a YAML file that was read, the very object: one that is only equal may come from a host."""
    return any(_holds(node, text) for node in _cache.values() if node is not None)


def _holds(node: Node, text: str) -> bool:
    if isinstance(node, MapNode):
        return any(_holds(value, text) for _, value in node.pairs)
    if isinstance(node, ListNode):
        return any(_holds(item, text) for item in node.items)
    return node.value is text


def _cache_key(name: str, limits: Limits, duplicates: Duplicates) -> tuple[object, ...] | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    if found.st_size > limits.size or not found.st_ino:
        return None
    return (os.path.abspath(name), name, found.st_mtime_ns, found.st_size, found.st_ino, limits, duplicates)


def _parse_file(data: bytes, name: str, limits: Limits, duplicates: Duplicates, warn: Warn | None) -> Node | None:
    text = decode(data, name)
    if name.endswith(".json"):
        from opsplay.source.json_reader import parse_json

        return parse_json(text, name, limits)
    return _only(_documents(text, name, limits, duplicates, warn), name)


def parse_yaml(
    text: str,
    path: str = "<text>",
    *,
    limits: Limits = PLAYBOOK,
    duplicates: Duplicates = "error",
    warn: Warn | None = None,
) -> Node | None:
    """The one document of a text; None where it is empty."""
    return _only(parse_yaml_documents(text, path, limits=limits, duplicates=duplicates, warn=warn), path)


def parse_yaml_documents(
    text: str,
    path: str = "<text>",
    *,
    limits: Limits = PLAYBOOK,
    duplicates: Duplicates = "error",
    warn: Warn | None = None,
) -> list[Node | None]:
    """Every document of a text (`---` between them)."""
    text = text.removeprefix("\ufeff")
    check_characters(text, path)
    return _documents(text, path, limits, duplicates, warn)


def _documents(text: str, path: str, limits: Limits, duplicates: Duplicates, warn: Warn | None) -> list[Node | None]:
    data = text.encode("utf-8")
    if len(data) > limits.size:
        raise too_big(data, path, limits)
    return TreeReader(data, path, limits, duplicates, warn).documents()


def _only(documents: list[Node | None], path: str) -> Node | None:
    if len(documents) > 1:
        second = documents[1]
        raise OpsError(
            "yaml-several-documents",
            "a second document starts here; this file may hold one",
            second.where if second is not None else Where(path, 1, 1),
            "Remove the --- between them, or make two files.",
        )
    return documents[0] if documents else None
