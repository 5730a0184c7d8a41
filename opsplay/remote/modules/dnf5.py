"""Manage packages with dnf 5."""

from opsplay.remote.modules.dnf import SPEC, act  # noqa: F401
