"""Handlers: those of a play, found by name, role name or topic, and who has notified them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from opsplay.errors import OpsError
from opsplay.events import HandlerNotified, HandlerRan, Notice
from opsplay.model.play import Entry, Task, walk_tasks
from opsplay.templating.template import Template

if TYPE_CHECKING:
    from opsplay.engine.play_run import PlayRun
    from opsplay.engine.walk import Walk


class Handlers:
    def __init__(self, play_run: PlayRun, entries: tuple[Entry, ...]) -> None:
        self.play_run = play_run
        self.playbook = str(Path(play_run.play.playbook).absolute())
        self._unusable: set[str] = set()
        self._sections = [walk_tasks((entry,)) for entry in entries]

    def tasks(self) -> list[Task]:
        """In the order in which they run."""
        return [task for section in self._sections for task in section]

    def add(self, entries: tuple[Entry, ...]) -> None:
        """Handlers of an included role."""
        known = {task.uid for section in self._sections for task in section}
        self._sections += [[task for task in walk_tasks((entry,)) if task.uid not in known] for entry in entries]

    def notify(self, walk: Walk, name: str, by: Task) -> None:
        """Remember the name: which handlers have it is seen when they are flushed. Raises OpsError where none has it now."""
        if not self.find(name):
            self.missing(name, by)
            return
        self.note(walk, name)

    def note(self, walk: Walk, name: str) -> None:
        walk.notified.setdefault(name)
        self.play_run.run.emit(HandlerNotified(time.time(), walk.host, name, self.play_run.title(), self.playbook))

    def doubt(self, walk: Walk, name: str) -> None:
        """Note what the name would notify, where a check run cannot know whether it does."""
        walk.doubtful |= {task.uid for task in self.find(name)}

    def recall(self, walk: Walk) -> None:
        """Notify what an earlier run has notified and not run, where the operator wants that."""
        run, title = self.play_run.run, self.play_run.title()
        for event in run.pending if run.options.run_pending_handlers else ():
            if (event.host, event.play, event.playbook) == (walk.host, title, self.playbook) and self.find(event.handler):
                self.note(walk, event.handler)

    def take(self, walk: Walk) -> None:
        """Make due what answers to a notified name."""
        name, _ = walk.notified.popitem()
        walk.owed[name] = {task.uid for task in self.find(name)}
        walk.due |= walk.owed[name]

    def ran(self, walk: Walk, handler: Task) -> None:
        """The handler ended well: say so of every name that waited for it alone."""
        for name, uids in list(walk.owed.items()):
            uids.discard(handler.uid)
            if not uids:
                del walk.owed[name]
                self.play_run.run.emit(HandlerRan(time.time(), walk.host, name, self.play_run.title(), self.playbook))

    def find(self, name: str) -> list[Task]:
        """The handler of that name in the section that was loaded last, and those that listen to it: of one name the last loaded."""
        newest = [task for section in reversed(self._sections) for task in section]
        named = next((task for task in newest if name in self.names(task)), None)
        listening: dict[object, Task] = {}
        for task in newest:
            if name in self.topics(task):
                listening.setdefault(self.title(task) or task.uid, task)
        return [*([named] if named else []), *(task for task in listening.values() if task is not named)]

    def names(self, task: Task) -> set[str]:
        name = self.title(task)
        if name is None:
            return set()
        if task.role is None:
            return {name}
        return {name, f"{task.role.name} : {name}", f"{task.role.full_name} : {name}"}

    def title(self, task: Task) -> str | None:
        """The handler's name; one whose variables are unknown here has no name to be notified by."""
        if not isinstance(task.name, Template):
            return str(task.name) if task.name else None
        scope = self.play_run.handler_scope(task)
        try:
            return str(self.play_run.run.templar.render(task.name, scope))
        except OpsError as error:
            self.unusable(task, task.name.source, error)
            return None

    def unusable(self, task: Task, name: str, error: OpsError) -> None:
        """Say once that nobody can notify the handler."""
        if not task.listen and task.uid not in self._unusable:
            self._unusable.add(task.uid)
            self.play_run.run.warn(
                f"Handler '{name}' is unusable because it has no listen topics and the name could not be templated "
                f"(host-specific variables are not supported in handler names). The error: {error.message}",
                str(task.where),
            )

    def topics(self, task: Task) -> set[str]:
        """What it listens to; topics are not templated."""
        found = {topic for topic in task.listen if isinstance(topic, str)}
        if task.role is not None:
            found |= {f"{role} : {topic}" for role in {task.role.name, task.role.full_name} for topic in found}
        return found

    def missing(self, name: str, by: Task) -> None:
        message = f"The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
        if self.play_run.run.settings.error_on_missing_handler:
            raise OpsError("unknown-handler", message, by.where, self.suggestion(name))
        self.play_run.run.emit(Notice(time.time(), "warning", message, str(by.where)))

    def suggestion(self, name: str) -> str:
        from opsplay.errors import did_you_mean

        return did_you_mean(name, {title for task in self.tasks() if (title := self.title(task))})
