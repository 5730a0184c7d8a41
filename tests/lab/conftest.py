"""The lab of this folder's tests; other folders import the same fixtures."""

from opsplay.lab.pytest_fixtures import lab, lab_host_reset

__all__ = ["lab", "lab_host_reset"]
