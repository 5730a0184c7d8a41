"""Set a server parameter by ALTER SYSTEM, where it differs: postgresql_set by the name that our roles use."""

from opsplay.actions.postgresql_set import SPEC, act

__all__ = ["SPEC", "act"]
