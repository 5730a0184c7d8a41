"""Tests of paths on the controller."""

from __future__ import annotations

import os.path
from typing import Any

from jinja2 import pass_environment

from opsplay.templating.texts import to_text

VAULT_HEADER = "$ANSIBLE_VAULT;"


def directory(path: Any) -> bool:
    """Whether the path is a directory."""
    return os.path.isdir(to_text(path))


def file(path: Any) -> bool:
    """Whether the path is a file."""
    return os.path.isfile(to_text(path))


def link(path: Any) -> bool:
    """Whether the path is a symbolic link."""
    return os.path.islink(to_text(path))


def exists(path: Any) -> bool:
    """Whether there is something at the path, links followed."""
    return os.path.exists(to_text(path))


def link_exists(path: Any) -> bool:
    """Whether there is something at the path, be it a broken link."""
    return os.path.lexists(to_text(path))


def absolute(path: Any) -> bool:
    """Whether the path is absolute."""
    return os.path.isabs(to_text(path))


def same_file(path: Any, other: Any) -> bool:
    """Whether two paths are the same file."""
    return os.path.samefile(to_text(path), to_text(other))


def mount(path: Any) -> bool:
    """Whether something is mounted at the path."""
    return os.path.ismount(to_text(path))


@pass_environment
def vault_encrypted(environment: Any, value: Any) -> bool:
    """Whether the text is encrypted by vault, or is what a `!vault` value holds."""
    if isinstance(value, (str, bytes)) and to_text(value).startswith(VAULT_HEADER):
        return True
    return bool(environment.templar.was_vaulted(value))


def vaulted_file(path: Any) -> bool:
    """Whether the file is encrypted by vault."""
    with open(to_text(path), "rb") as stream:
        return stream.read(len(VAULT_HEADER)) == VAULT_HEADER.encode()


TESTS = {
    "abs": absolute,
    "directory": directory,
    "exists": exists,
    "file": file,
    "is_abs": absolute,
    "is_dir": directory,
    "is_file": file,
    "is_link": link,
    "is_mount": mount,
    "is_same_file": same_file,
    "link": link,
    "link_exists": link_exists,
    "mount": mount,
    "same_file": same_file,
    "vault_encrypted": vault_encrypted,
    "vaulted_file": vaulted_file,
}
