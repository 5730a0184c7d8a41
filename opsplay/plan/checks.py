"""Checks: what can be known to be wrong in a playbook before any host is touched: arguments of every task."""

from __future__ import annotations

from collections.abc import Iterator

from opsplay.actions.arguments import check_names
from opsplay.errors import OpsError, did_you_mean
from opsplay.model.catalog import Catalog
from opsplay.model.play import Play, Playbook, Task, walk_tasks
from opsplay.templating.template import Template

OPENED_LATER = frozenset({"include_role", "include_tasks"})  # may bring handlers that nobody knows yet


def check_playbook(playbook: Playbook, catalog: Catalog) -> list[OpsError]:
    """Every problem, in the order of the text."""
    return [problem for play in playbook.plays for task in tasks_of(play) for problem in check_task(task, catalog)]


def check_notifies(playbook: Playbook) -> list[OpsError]:
    """Every `notify` that no handler of its play answers to, where the text says all handlers there can be."""
    return [problem for play in playbook.plays for problem in missing_handlers(play)]


def missing_handlers(play: Play) -> Iterator[OpsError]:
    tasks, handlers = tasks_of(play), walk_tasks(play.handlers)
    if any(task.verb in OPENED_LATER or "{{" in task.verb for task in tasks):
        return
    if any(isinstance(name, Template) for task in handlers for name in (task.name, *task.listen)):
        return
    known = {name for task in handlers for name in handler_names(task)}
    for task in tasks:
        for name in task.keywords.get("notify", ()):  # type: ignore[attr-defined]
            if isinstance(name, str) and name not in known:
                yield OpsError("unknown-handler", f"no handler is called '{name}', and none listens to it", task.where,
                               did_you_mean(name, known) or f"Add a handler of that name. There are: {', '.join(sorted(known)) or 'none'}")  # fmt: skip


def handler_names(task: Task) -> Iterator[str]:
    for name in (task.name, *task.listen):
        if isinstance(name, str) and name:
            yield name
            if task.role is not None:
                yield from (f"{task.role.name} : {name}", f"{task.role.full_name} : {name}")


def tasks_of(play: Play) -> list[Task]:
    return walk_tasks((*play.pre_tasks, *play.roles, *play.tasks, *play.post_tasks, *play.handlers))


def check_task(task: Task, catalog: Catalog) -> list[OpsError]:
    if "{{" in task.verb or task.implicit or "_variable_params" in task.args:
        return []
    verb = catalog.find(task.verb)
    if verb is None or verb.spec is None:
        return []
    given = {name: value for name, value in task.args.items() if name != "_raw_params"}
    if "_raw_params" in task.args and verb.spec.free_form is None and not verb.spec.open_ended:
        return []
    if task.keywords.get("module_defaults") or "_raw_params" in task.args:
        return [
            problem
            for problem in check_names(verb.name, verb.spec, given, task.args_where, task.where)
            if problem.code != "missing-argument"
        ]
    return check_names(verb.name, verb.spec, given, task.args_where, task.where)
