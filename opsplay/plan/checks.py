"""Checks: what can be known to be wrong in a playbook before any host is touched: arguments of every task."""

from __future__ import annotations

from opsplay.actions.arguments import check_names
from opsplay.errors import OpsError
from opsplay.model.catalog import Catalog
from opsplay.model.play import Play, Playbook, Task, walk_tasks


def check_playbook(playbook: Playbook, catalog: Catalog) -> list[OpsError]:
    """Every problem, in the order of the text."""
    return [problem for play in playbook.plays for task in tasks_of(play) for problem in check_task(task, catalog)]


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
