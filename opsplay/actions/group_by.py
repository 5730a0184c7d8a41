"""Put the host into a group whose name comes from its facts."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.remote.spec import Listing, Spec, Text

SPEC = Spec(
    args={
        "key": Text(required=True, text="The group's name."),
        "parents": Listing(default=("all",), elements=Text(), text="Groups above it."),
    },
    returns={"add_group": Text(), "parent_groups": Listing()},
    examples=["group_by: {key: 'os_{{ ansible_facts.distribution }}'}"],
    unknown_text="Invalid options for group_by",
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    group = args.key.replace(" ", "-")
    parents = [parent.replace(" ", "-") for parent in args.parents]
    changed = context.group_by(group, parents)
    return {"changed": changed, "add_group": group, "parent_groups": parents}
