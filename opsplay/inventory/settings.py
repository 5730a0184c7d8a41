"""InventorySettings: what a user may set about reading inventories; names follow Ansible's documented settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from opsplay.source.limits import INVENTORY, Limits
from opsplay.source.yaml_tree import Duplicates

Render = Callable[[str, dict[str, object]], object]
Transform = Literal["never", "always", "ignore", "silently"]

IGNORED_EXTENSIONS = (
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InventorySettings:
    """`unparsed` says what a source that cannot be read does: stop (ours) or be left out with a warning (Ansible's)."""

    duplicates: Duplicates = "error"
    unparsed: Literal["error", "warn"] = "error"
    transform: Transform = "never"
    ignored_extensions: tuple[str, ...] = IGNORED_EXTENSIONS
    ignored_patterns: tuple[str, ...] = ()
    script_timeout: float = 120.0
    limits: Limits = INVENTORY
    render: Render | None = None
    extra_variables: tuple[tuple[str, object], ...] = ()
