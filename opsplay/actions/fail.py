"""Fail with a message."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.remote.spec import Raw, Spec

SPEC = Spec(
    args={"msg": Raw(default="Failed as requested from task", text="Why.")},
    examples=["fail: {msg: 'The system may not be provisioned according to the CMDB status.'}"],
    unknown_text="Invalid options for fail",
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    return {"failed": True, "changed": False, "msg": args.msg}
