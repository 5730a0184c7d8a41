"""Give figures to the run summary."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Dictionary, Raw, Spec
from opsplay.truth import truth

SPEC = Spec(
    args={
        "data": Raw(text="Names and values: a dictionary."),
        "per_host": Raw(default=False, text="Keep them for this host, not for the run."),
        "aggregate": Raw(default=True, text="Add to what is there already."),
    },
    returns={"ansible_stats": Dictionary()},
    examples=["set_stats: {data: {bytes_freed: 1024}, per_host: true}"],
    unknown_text="Invalid options for set_stats",
    confined=True,
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    data = {} if args.data is None else args.data
    if not isinstance(data, dict):
        return {"failed": True, "changed": False, "msg": "The 'data' option needs to be a dictionary/hash"}
    per_host, aggregate = (truth(args[name]) is True for name in ("per_host", "aggregate"))  # what is no boolean is no
    for name in data:
        if not str(name).isidentifier():
            raise OpsError("bad-variable-name", f"Invalid variable name '{name}'. Variables must start with a letter or underscore character, "
                           "and contain only letters, numbers and underscores.")  # fmt: skip
    context.set_stats(data, per_host, aggregate)
    return {"changed": False, "ansible_stats": {"data": data, "per_host": per_host, "aggregate": aggregate}}
