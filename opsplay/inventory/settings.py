"""InventorySettings: what a user may set about reading inventories; names follow Ansible's documented settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal, cast

from opsplay.lazy_dataclass import dataclass
from opsplay.source.limits import INVENTORY, Limits
from opsplay.source.yaml_tree import Duplicates

if TYPE_CHECKING:
    from opsplay.settings import Settings

Transform = Literal["never", "always", "ignore", "silently"]

IGNORED_EXTENSIONS = (
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
)  # fmt: skip
PRECEDENCE = (
    "all_inventory",
    "groups_inventory",
    "all_plugins_inventory",
    "all_plugins_play",
    "groups_plugins_inventory",
    "groups_plugins_play",
)


@dataclass(frozen=True, slots=True)
class InventorySettings:
    """`unparsed` says what a source that cannot be read does: stop (ours) or be left out with a warning (Ansible's)."""

    duplicates: Duplicates = "error"
    enabled: tuple[str, ...] = ()  # kinds of sources that are read; nothing means all
    unparsed: Literal["error", "warn"] = "error"
    none_parsed: Literal["error", "warn", "ignore"] = "warn"
    strict: bool = False  # an empty folder cannot be parsed, either
    transform: Transform = "never"
    ignored_extensions: tuple[str, ...] = IGNORED_EXTENSIONS
    ignored_patterns: tuple[str, ...] = ()
    script_timeout: float = 120.0
    script_stderr: bool = True  # what scripts say on stderr is passed on; their errors always are
    limits: Limits = INVENTORY
    pattern_mismatch: Literal["warning", "error", "ignore"] = "warning"
    precedence: tuple[str, ...] = PRECEDENCE
    extra_variables: Mapping[str, object] = field(default_factory=dict)

    def reads(self, *kinds: str) -> bool:
        """Whether `enable_plugins` lets one of these kinds be read."""
        return not self.enabled or any(kind in self.enabled for kind in kinds)

    @classmethod
    def of(cls, settings: Settings | InventorySettings | None, **changes: object) -> InventorySettings:
        """From the settings of a run; `changes` go on top."""
        if isinstance(settings, InventorySettings):
            return settings
        if settings is None:
            return cls(**changes)  # type: ignore[arg-type]
        values: dict[str, object] = {
            "duplicates": cast(Duplicates, settings.duplicate_dict_key),
            "none_parsed": "error" if settings.inventory_unparsed_failed else "warn" if settings.inventory_unparsed_warning else "ignore",
            "strict": settings.inventory_any_unparsed_failed,
            "transform": settings.transform_invalid_group_chars,
            "pattern_mismatch": settings.host_pattern_mismatch,
            "ignored_patterns": settings.ignore_files_,
            "precedence": settings.precedence,
            "script_stderr": settings.script_stderr,
            "enabled": tuple(name.removeprefix("ansible.builtin.") for name in settings.inventory_enabled),
        }
        return cls(**{**values, **changes})  # type: ignore[arg-type]
