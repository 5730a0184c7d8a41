"""A lab of hosts on this machine, to rehearse a playbook on: `up`, `status`, `down`, and the faults of `Lab.fault`."""

from opsplay.lab.hosts import LabHost
from opsplay.lab.lab import Lab
from opsplay.lab.lifecycle import down, status, up

__all__ = ["Lab", "LabHost", "down", "status", "up"]
