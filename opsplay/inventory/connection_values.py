"""Connection values: refuses addresses and users that ssh or a shell would take for more than they say."""

from __future__ import annotations

import re

from opsplay.errors import OpsError
from opsplay.templating.layer import VarLayer

ADDRESSES = ("ansible_host", "ansible_ssh_host")
USERS = ("ansible_user", "ansible_ssh_user", "ansible_become_user", "remote_user")
_CHECKED = frozenset(ADDRESSES + USERS)
_UNSAFE = re.compile(r"""[\s;`()|&<>"'\x00-\x1f\x7f]|\$\(""")


def check_connection_values(layer: VarLayer) -> None:
    """Raises OpsError for an address or user, written plainly in an inventory, that cannot be one."""
    for name in _CHECKED.intersection(layer.values):
        value = layer.values[name]
        if isinstance(value, str) and (value.startswith("-") or _UNSAFE.search(value)):
            reader = (
                "ssh would read it as an option" if value.startswith("-") else "a shell would read more than a name"
            )
            raise OpsError(
                "inventory-bad-address",
                f"{name} cannot be {value[:60]!r}: {reader}",
                layer.wheres.get(name),
                "Write the plain address or user name.",
                width=len(name),
            )
