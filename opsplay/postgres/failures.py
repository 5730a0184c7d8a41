"""Failures: what an action raises as ModuleFailure becomes its failed result, as with modules on hosts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from opsplay.remote.spec import Args, ModuleFailure

if TYPE_CHECKING:
    from opsplay.actions.context import Context

Act = Callable[["Context", Args], Awaitable[dict[str, Any]]]


def told_as_result(act: Act) -> Act:
    @wraps(act)
    async def careful(context: Context, args: Args) -> dict[str, Any]:
        try:
            return await act(context, args)
        except ModuleFailure as failure:
            result: dict[str, Any] = {"changed": False} | failure.result
            return result | {"failed": True, "msg": failure.msg}

    return careful
