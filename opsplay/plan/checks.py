"""Checks: what can be known to be wrong in a playbook before any host is touched: arguments of every task."""

from __future__ import annotations

from collections.abc import Iterator

from opsplay.actions.arguments import check_names
from opsplay.errors import OpsError, did_you_mean
from opsplay.model.catalog import Catalog
from opsplay.model.play import Play, Playbook, Task, walk_tasks
from opsplay.plan.play_values import Known, check_values
from opsplay.templating.template import Template

META_ACTIONS = frozenset({"flush_handlers", "noop", "clear_facts", "clear_host_errors", "refresh_inventory", "reset_connection",
                          "end_host", "end_play", "end_batch", "end_role"})  # fmt: skip
OPENED_LATER = frozenset({"include_role", "include_tasks"})  # may bring handlers that nobody knows yet


def check_playbook(playbook: Playbook, catalog: Catalog, known: Known | None = None) -> list[OpsError]:
    """Every problem, in the order of the text."""
    return [problem for play in playbook.plays for problem in (*check_values(play, known), *check_tasks(play, catalog))]


def check_tasks(play: Play, catalog: Catalog) -> Iterator[OpsError]:
    for task in tasks_of(play):
        yield from check_task(task, catalog)
        yield from check_conditions(task)
        if task.verb in OPENED_LATER and task.loop is not None and task.loop.control.get("parallel") not in (None, 1):
            yield OpsError("bad-parallel", f"loop_control.parallel is for modules and actions, not for {task.verb}", task.loop.where,
                           "Put the loop, with parallel, on the task inside.")  # fmt: skip
        if task.verb == "meta" and isinstance(name := task.args.get("_raw_params"), str) and name not in META_ACTIONS:
            yield OpsError("unknown-meta", f"invalid meta action requested: {name}", task.where, did_you_mean(name, set(META_ACTIONS)))


def check_conditions(task: Task) -> Iterator[OpsError]:
    """Conditions that no run could judge: what they say is no expression."""
    own = [task.keywords.get("when"), *(task.own.get(name) for name in ("changed_when", "failed_when", "until"))]
    for conditions in own:
        for text, where in conditions if isinstance(conditions, tuple) else ():
            if isinstance(text, str) and text.strip() and (wrong := syntax_problem(text)):
                yield OpsError("template-syntax", f"Syntax error in expression: {wrong}", where or task.where, "Check quotes and brackets.")


def syntax_problem(text: str) -> str:
    """What is wrong with an expression as it is written; nothing for one that is a plain name or a number."""
    if text.isidentifier():
        return ""
    from opsplay.plan.reading import read_text

    return read_text(text, True).syntax


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
