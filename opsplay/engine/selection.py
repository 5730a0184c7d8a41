"""Selection by the operator: --start-at-task leaves out what comes before a task, --step asks before each."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING

from opsplay.errors import Fault, OpsError
from opsplay.model.play import Play, Playbook, Task, walk_tasks
from opsplay.templating.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opsplay.engine.run import Run


def check_start(playbooks: Iterable[Playbook], wanted: str | None) -> None:
    """Raises OpsError where no play has the task to start at."""
    if wanted and not any(first_of(play, wanted) for book in playbooks for play in book.plays):
        raise OpsError(
            "no-such-task",
            f'No matching task "{wanted}" found. Note: --start-at-task can only follow static includes.',
            remedy="List the tasks with --list-tasks.",
            fault=Fault.USAGE,
        )


def skipped_before(play: Play, wanted: str) -> tuple[frozenset[str], bool]:
    """(tasks of the play that come before the wanted one, whether it is in this play)."""
    tasks = main_tasks(play)
    first = first_of(play, wanted)
    before = tasks if first is None else tasks[: tasks.index(first)]
    return frozenset(task.uid for task in before), first is not None


def first_of(play: Play, wanted: str) -> Task | None:
    return next((task for task in main_tasks(play) if matches(task, wanted)), None)


def main_tasks(play: Play) -> list[Task]:
    return walk_tasks((*play.pre_tasks, *play.roles, *play.tasks, *play.post_tasks))


def matches(task: Task, wanted: str) -> bool:
    if task.verb == "meta" or not task.name:
        return False
    name = task.name.source if isinstance(task.name, Template) else str(task.name)
    full = f"{task.role.full_name} : {name}" if task.role else name
    return wanted in (name, full) or fnmatch(name, wanted) or fnmatch(full, wanted)


class Steps:
    """--step: what the operator answered; `c` ends the questions."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asking = run.options.step

    def take(self, title: str) -> bool:
        if not self.asking:
            return True
        for listener in self.run.listeners:
            if hasattr(listener, "suspended"):
                with listener.suspended():
                    return self._ask(title)
        return self._ask(title)

    def _ask(self, title: str) -> bool:
        said = self.run.ask_now(f"Perform task: TASK: {title} (N)o/(y)es/(c)ontinue: ")
        if said is None:
            raise OpsError("no-terminal", "--step asks before each task, and there is no terminal to ask at", fault=Fault.USAGE,
                           remedy="Leave --step out, or run at a terminal.")  # fmt: skip
        answer = said.strip().lower()
        if answer in ("c", "continue"):
            self.asking = False
        return answer in ("y", "yes", "c", "continue")
