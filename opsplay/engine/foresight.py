"""Foresight: what a check run can know. A task that only a real run can judge is `unknown`, and so is what reads its result.

Not for the drop-ins: there a task that check mode leaves out is skipped, and later tasks see that, as Ansible has it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opsplay.engine.results import BECAUSE
from opsplay.errors import OpsError
from opsplay.templating.unknown import Unknown, UnknownValue

if TYPE_CHECKING:
    from opsplay.engine.task_run import TaskRun

MAY_SET_NAMES = frozenset({"include_tasks", "include_role", "include_vars"})


def unknown(because: str, **more: Any) -> dict[str, Any]:
    return {**more, "changed": False, "failed": False, BECAUSE: because, "msg": because}


def is_unknown(result: Mapping[str, Any]) -> bool:
    return BECAUSE in result


def foreseen(result: dict[str, Any]) -> dict[str, Any]:
    """The result of a task in a check run; unknown where it was left out because of check mode."""
    said = f"{result.get('msg', '')} {result.get('skip_reason', '')}"
    if not result.get("skipped") or "check mode" not in said:
        return result
    kept = {name: result[name] for name in ("invocation", "cmd") if name in result}
    return unknown(str(result.get("msg") or result["skip_reason"]), **kept)


def as_variable(result: dict[str, Any], title: str) -> Any:
    """What `register` holds: of a loop the items that are known, and Unknown for the others."""
    if not is_unknown(result):
        return result
    mark = Unknown(f'the result of "{title}"')
    items = result.get("results")
    if not items:
        return mark
    kept = {name: value for name, value in result.items() if name not in (BECAUSE, "msg")}
    changed = True if any(item.get("changed") for item in items) else mark
    return {**kept, "results": [mark if is_unknown(item) else item for item in items], "changed": changed, "failed": mark}


def facts_left(work: TaskRun) -> dict[str, Any]:
    """What an unknown set_fact sets: the values that are known, where it is known that it runs, and Unknown for the others."""
    task, scope = work.task, work.walk.scope(work.task)
    facts: dict[str, Any] = {name: Unknown(f'"{name}"') for name in task.args if name != "cacheable"}
    with contextlib.suppress(OpsError):
        if task.loop is None and work.unless(scope) is None:
            for name in facts:
                with contextlib.suppress(UnknownValue):
                    facts[name] = work.value(task.args[name], scope)
    return facts


def leave_unknown(work: TaskRun, title: str) -> None:
    """What else the task would have set or begun: facts, names of an include, handlers."""
    task, memory = work.task, work.walk.memory
    if task.verb == "set_fact":
        memory.set_facts.update(facts_left(work))
    verb = work.run.find_verb(task.verb, task)
    if task.verb in MAY_SET_NAMES or verb is None or verb.kind == "foreign":
        memory.blind = memory.blind or title
    with contextlib.suppress(OpsError):
        for name in work.notified(work.walk.scope(task)):
            work.walk.play_run.handlers.doubt(work.walk, name)
