"""Add a host to the inventory of this run."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.inventory.hostnames import split_port
from opsplay.remote.spec import Dictionary, Listing, Raw, Spec, Text

SPEC = Spec(
    args={
        "name": Raw(aliases=("host", "hostname"), required=True, text="Its name; a port may follow a colon."),
        "groups": Listing(aliases=("group", "groupname"), elements=Text(), text="Groups it joins."),
    },
    returns={"add_host": Dictionary()},
    examples=["add_host: {name: '{{ new_ip }}', groups: [just_created], ansible_port: 2222}"],
    open_ended=True,
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    variables = {key: value for key, value in args.items() if key not in ("name", "groups")}
    name = str(args.name or "")
    if not name:
        raise OpsError("missing-argument", "name, host or hostname needs to be provided")
    name, port = split_port(name)
    if port is not None:
        variables["ansible_ssh_port"] = port
    groups = [group.strip() for group in args.groups or [] if group.strip()]
    changed = context.add_host(name, groups, variables)
    return {"changed": changed, "add_host": {"host_name": name, "groups": groups, "host_vars": variables}}
