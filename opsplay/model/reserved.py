"""Reserved: names that a variable had better not have, since a keyword or a function of templates has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsplay.errors import Where
from opsplay.model import keywords as words

FUNCTIONS = frozenset(["lookup", "query", "q", "lipsum", "range", "dict", "cycler", "joiner", "namespace", "now", "undef"])
RESERVED = (words.PLAY | words.BLOCK | words.TASK | words.ROLE | FUNCTIONS | {"hostvars", "groups", "group_names", "inventory_hostname"}) - {
    "environment", "gather_subset",
}  # fmt: skip


def reserved_names(names: Iterable[str], wheres: Mapping[str, Where], where: Where | None) -> list[str]:
    """Warnings, one for each such name."""
    return [warning(name, wheres.get(name, where)) for name in names if name in RESERVED]


def warning(name: str, where: Where | None) -> str:
    return f"Found variable using reserved name '{name}'.\nOrigin: {where}"
