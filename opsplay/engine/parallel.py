"""Parallel loops: `loop_control.parallel` items of a task at the same time on one host, their results in the items' order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opsplay.engine.results import combine
from opsplay.errors import OpsError, Where

if TYPE_CHECKING:
    from opsplay.engine.task_run import TaskRun
    from opsplay.variables.scope import Scope


def width_of(control: Mapping[str, Any], where: Where) -> int:
    """How many at a time. Raises OpsError for what is no number of items."""
    given = control.get("parallel")
    if given is None:
        return 1
    text = str(given).strip()
    if isinstance(given, bool) or not text.isdigit() or int(text) < 1:
        raise OpsError("bad-parallel", f"loop_control.parallel is how many items run at a time, from 1, not {given!r}", where, "Write parallel: 4.")
    return int(text)


async def run_items(work: TaskRun, scope: Scope, items: list[Any], control: Mapping[str, Any], width: int) -> dict[str, Any]:
    """The combined result. An item that leaves the host unreachable ends those under way and those behind it."""
    places = asyncio.Semaphore(width)

    async def one(part: TaskRun, item_scope: Scope) -> dict[str, Any]:
        async with places:
            return await part.item(item_scope)

    parts = [work.part() for _ in items]
    scopes = [scope.with_(**work.loop_variables(control, items, index)) for index in range(len(items))]
    results: list[dict[str, Any]] = []
    async with work.gate(scope):
        running = [asyncio.ensure_future(one(part, item_scope)) for part, item_scope in zip(parts, scopes, strict=True)]
        try:
            for index, (part, under_way) in enumerate(zip(parts, running, strict=True)):
                results.append(await under_way)
                goes_on = part.end_item(scopes[index], control, items[index], index, results[-1])
                work.no_log, work.delegated = work.no_log or part.no_log, part.delegated
                work.secrets |= part.secrets
                if not goes_on:
                    break
        finally:
            for under_way in running:
                under_way.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    return combine(results)
