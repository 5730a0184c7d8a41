"""Patterns: `web:&eu:!old`, wildcards, ~regex, slices and --limit, to hosts in the inventory's order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from typing import TYPE_CHECKING

from opsplay.errors import Fault, OpsError, Where, did_you_mean
from opsplay.inventory.hostnames import is_ipv6, split_port

if TYPE_CHECKING:
    from opsplay.inventory.inventory import Inventory

Warn = Callable[[str], None]
_PIECE = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")
_SLICE = re.compile(r"(?P<base>.+)\[(?:(?P<index>-?\d+)|(?P<first>\d*)[:-](?P<last>\d*))\]$")
_GLOB = re.compile(r"[*?\[]")


def select_hosts(inventory: Inventory, pattern: str, limit: str | None, warn: Warn) -> list[str]:
    """The hosts that `pattern` names and `limit` leaves."""
    chosen = _evaluate(inventory, split_pattern(pattern), warn)
    if limit is None:
        return chosen
    pieces = [piece for part in split_pattern(limit) for piece in _limit_pieces(part)]
    kept = set(_evaluate(inventory, pieces, warn))
    return [name for name in chosen if name in kept]


def split_pattern(pattern: str) -> list[str]:
    """The pieces between commas, or between the colons that belong to no address and no slice."""
    if "," in pattern:
        return [piece for part in pattern.split(",") for piece in split_pattern(part)]
    pattern = pattern.strip()
    if ":" not in pattern or is_ipv6(pattern.lstrip("!&")) or split_port(pattern)[1] is not None:
        return [pattern] if pattern else []
    if pattern.startswith("@"):
        return [pattern]
    return _PIECE.findall(pattern)


def _limit_pieces(piece: str) -> list[str]:
    """A piece of --limit itself, or the lines of the file that `@file` names."""
    if not piece.startswith("@"):
        return [piece]
    path = os.path.expanduser(piece[1:])
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OpsError(
            "limit-file-not-read",
            f"--limit {piece}: {_file_trouble(error)}",
            Where(path),
            "Give --limit @FILE a file with a host or pattern on each line.",
            fault=Fault.USAGE,
        ) from None
    return [part for line in lines if line.strip() and not line.startswith("#") for part in split_pattern(line)]


def _file_trouble(error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "it must be a file, and is a folder"
    return getattr(error, "strerror", None) or "the file is not text"


def _evaluate(inventory: Inventory, pieces: list[str], warn: Warn) -> list[str]:
    """Additions first, then intersections (&), then exclusions (!), however they were written."""
    adding = [piece for piece in pieces if piece[0] not in "!&"]
    chosen: dict[str, None] = {}
    for piece in adding or ["all"]:
        chosen.update(dict.fromkeys(_match(inventory, piece, warn)))
    for piece in (piece for piece in pieces if piece[0] == "&"):
        kept = set(_match(inventory, piece[1:], warn))
        chosen = {name: None for name in chosen if name in kept}
    for piece in (piece for piece in pieces if piece[0] == "!"):
        for name in _match(inventory, piece[1:], warn):
            chosen.pop(name, None)
    return list(chosen)


def _match(inventory: Inventory, piece: str, warn: Warn) -> Iterable[str]:
    if piece in inventory.hosts and piece not in inventory.groups:
        return [piece]
    sliced = None if piece.startswith("~") else _SLICE.match(piece)
    if sliced is None:
        return _named(inventory, piece, warn)
    return _slice(list(_named(inventory, sliced["base"], warn)), sliced)


def _slice(names: list[str], sliced: re.Match[str]) -> list[str]:
    """`[0]`, `[-1]`, `[0:2]` (both ends count), `[1:]`, `[:3]`."""
    if sliced["index"] is not None:
        index = int(sliced["index"])
        return [names[index]] if -len(names) <= index < len(names) else []
    first = int(sliced["first"] or 0)
    return names[first : int(sliced["last"]) + 1] if sliced["last"] else names[first:]


def _named(inventory: Inventory, piece: str, warn: Warn) -> Iterable[str]:
    if piece in ("all", "*"):
        return inventory.group_hosts("all")
    if piece in inventory.groups:
        return inventory.group_hosts(piece)
    if piece in inventory.hosts:
        return [piece]
    if piece.startswith("~") or _GLOB.search(piece):
        found = _by_expression(inventory, _expression(piece))
    else:
        from opsplay.inventory.inventory import LOCALHOST

        found = [piece] if piece in LOCALHOST else []
    if not found:
        _mismatch(inventory, piece, warn)
    return found


def _mismatch(inventory: Inventory, piece: str, warn: Warn) -> None:
    setting = inventory.settings.pattern_mismatch
    if setting == "error":
        hint = did_you_mean(piece, [*inventory.groups, *inventory.hosts])
        remedy = f"{hint} List what there is with: opsplay inventory graph".strip()
        message = f"Could not match supplied host pattern, ignoring: {piece}"
        raise OpsError("pattern-no-match", message, None, remedy, fault=Fault.USAGE)
    if setting != "ignore":
        warn(_unmatched(inventory, piece))


def _expression(piece: str) -> re.Pattern[str]:
    try:
        return re.compile(piece[1:] if piece.startswith("~") else translate(piece))
    except re.error as error:
        raise OpsError(
            "pattern-bad-regex", f'"{piece}" is no regular expression: {error}', None, "Correct it.", fault=Fault.USAGE
        ) from None


def _by_expression(inventory: Inventory, expression: re.Pattern[str]) -> list[str]:
    found: dict[str, None] = {}
    for group in filter(expression.match, inventory.groups):
        found.update(dict.fromkeys(inventory.group_hosts(group)))
    found.update(dict.fromkeys(name for name in inventory.group_hosts("all") if expression.match(name)))
    return list(found)


def _unmatched(inventory: Inventory, piece: str) -> str:
    hint = did_you_mean(piece, [*inventory.groups, *list(inventory.hosts)[:2000]])
    return f"Could not match supplied host pattern, ignoring: {piece}{'. ' + hint if hint else ''}"
