"""RunLookups: what lookups may ask of a run: host names by pattern."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsplay.engine.run import Run


class RunLookups:
    def __init__(self, run: Run, base: Path) -> None:
        self.run = run
        self.base = base

    @property
    def basedir(self) -> str:
        return str(self.base)

    def inventory_hostnames(self, pattern: str) -> list[str]:
        """The hosts that the pattern names; none where it names nothing."""
        from opsplay.errors import OpsError

        try:
            return list(self.run.inventory.select(pattern, None, lambda text: None))
        except OpsError:
            return []
