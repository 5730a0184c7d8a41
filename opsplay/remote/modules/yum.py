"""Manage packages with yum; the same as dnf, which it is on every supported Red Hat."""

from opsplay.remote.modules.dnf import SPEC, act  # noqa: F401
