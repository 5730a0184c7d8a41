"""Manage systemd units: started, stopped, enabled, masked (the older name of systemd_service)."""

from opsplay.remote.modules.systemd_service import SPEC, act  # noqa: F401
