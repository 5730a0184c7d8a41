"""Filters over paths of the controller, and over Windows paths as text."""

from __future__ import annotations

import glob
import ntpath
import os.path
from typing import Any

from opsplay.templating.texts import is_list, to_text


def basename(value: Any) -> str:
    """The last part of a path."""
    return os.path.basename(to_text(value))


def dirname(value: Any) -> str:
    """The path without its last part."""
    return os.path.dirname(to_text(value))


def commonpath(value: Any) -> str:
    """The longest path that all paths of a list begin with."""
    if not is_list(value):
        raise TypeError("|commonpath expects sequence")
    return os.path.commonpath([to_text(item) for item in value])


def expanduser(value: Any) -> str:
    """The path with `~` replaced by the home directory."""
    return os.path.expanduser(to_text(value))


def expandvars(value: Any) -> str:
    """The path with $NAME replaced from the controller's environment."""
    return os.path.expandvars(to_text(value))


def fileglob(value: Any) -> list[str]:
    """The files of the controller that a pattern matches."""
    return [path for path in glob.glob(to_text(value)) if os.path.isfile(path)]


def normpath(value: Any) -> str:
    """The path without `.`, `..` and doubled slashes."""
    return os.path.normpath(to_text(value))


def path_join(value: Any) -> str:
    """The parts of a list joined to a path."""
    if isinstance(value, str):
        return os.path.join(value)
    if is_list(value):
        return os.path.join(*[to_text(item) for item in value])
    raise TypeError("|path_join expects string or sequence")


def realpath(value: Any) -> str:
    """The path with every link followed."""
    return os.path.realpath(to_text(value))


def relpath(value: Any, start: Any = os.curdir) -> str:
    """The path as seen from `start`."""
    return os.path.relpath(to_text(value), to_text(start))


def splitext(value: Any) -> tuple[str, str]:
    """The path in two: without its extension, and the extension."""
    return os.path.splitext(to_text(value))


def win_basename(value: Any) -> str:
    """The last part of a Windows path."""
    return ntpath.basename(to_text(value))


def win_dirname(value: Any) -> str:
    """The Windows path without its last part."""
    return ntpath.dirname(to_text(value))


def win_splitdrive(value: Any) -> tuple[str, str]:
    """The Windows path in two: the drive and the rest."""
    return ntpath.splitdrive(to_text(value))


FILTERS = {
    "basename": basename,
    "commonpath": commonpath,
    "dirname": dirname,
    "expanduser": expanduser,
    "expandvars": expandvars,
    "fileglob": fileglob,
    "normpath": normpath,
    "path_join": path_join,
    "realpath": realpath,
    "relpath": relpath,
    "splitext": splitext,
    "win_basename": win_basename,
    "win_dirname": win_dirname,
    "win_splitdrive": win_splitdrive,
}
