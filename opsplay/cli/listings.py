"""Listings: --list-hosts, --list-tasks, --list-tags and --syntax-check, in the form that Ansible documents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsplay.engine.play_run import PlayRun
from opsplay.errors import OpsError
from opsplay.model.play import Play, Task, pattern_text, walk_tasks
from opsplay.plan.tags import is_selected
from opsplay.templating.layer import VarLayer
from opsplay.templating.template import Template

if TYPE_CHECKING:
    from opsplay.engine.launch import Prepared
    from opsplay.engine.run import Run
    from opsplay.model.building import Workshop


def show_listing(prepared: Prepared, flags: Mapping[str, Any]) -> int:
    """Print what the flags ask for; nothing is run. The exit code."""
    for book, workshop in prepared.playbooks:
        print(f"\nplaybook: {book.path}")
        if flags.get("syntax_check"):
            continue
        for number, play in enumerate(book.plays, 1):
            print("\n".join(PlayListing(prepared.run, play, workshop).lines(number, flags)))
    pending = prepared.run.pending
    if pending and not flags.get("syntax_check"):
        from opsplay.cli.pending import warning

        print("\n" + warning(pending, prepared.run.options.run_pending_handlers))
    sys.stdout.flush()
    return 0


class PlayListing:
    """One play, with the variables that it knows without a host."""

    def __init__(self, run: Run, play: Play, workshop: Workshop) -> None:
        self.run = run
        self.play = play
        workshop.playbook_dir = Path(play.playbook).parent.absolute()
        self.vars = PlayRun(run, play, workshop, [], VarLayer("vars_prompt")).vars

    def lines(self, number: int, flags: Mapping[str, Any]) -> Iterator[str]:
        play = self.play
        tags = self.tags(play.keywords.get("tags", ()), None)
        yield f"\n  play #{number} ({pattern_text(play.hosts)}): {play.title}\tTAGS: [{','.join(sorted(tags))}]"
        if flags.get("list_hosts"):
            yield from self.host_lines()
        tasks = self.selected()
        if flags.get("list_tasks"):
            yield "    tasks:"
            for task in tasks:
                yield f"      {title_of(task)}\tTAGS: [{', '.join(sorted(tags | self.tags_of(task)))}]"
        if flags.get("list_tags"):
            found = tags.union(*(self.tags_of(task) for task in tasks))
            yield f"      TASK TAGS: [{', '.join(sorted(found))}]"

    def host_lines(self) -> Iterator[str]:
        raw = self.rendered(self.play.hosts, None)
        pattern = [str(item) for item in raw] if isinstance(raw, (list, tuple)) else str(raw).split(",")
        hosts = self.run.hosts_of(self.play)
        yield f"    pattern: {pattern!r}"
        yield f"    hosts ({len(hosts)}):"
        yield from (f"      {host}" for host in hosts)

    def selected(self) -> list[Task]:
        play, options = self.play, self.run.options
        return [
            task
            for task in walk_tasks((*play.pre_tasks, *play.roles, *play.tasks, *play.post_tasks))
            if not (task.verb == "meta" and task.implicit) and is_selected(self.tags_of(task), options.tags, options.skip_tags)
        ]

    def tags_of(self, task: Task) -> set[str]:
        return self.tags(task.keywords.get("tags", ()), task)

    def tags(self, tags: object, task: Task | None) -> set[str]:
        """The tags as texts; one that needs a host's variables stays as written."""
        found: set[str] = set()
        for tag in tags if isinstance(tags, Iterable) and not isinstance(tags, str) else (tags,):
            value = self.rendered(tag, task)
            found.update(str(item).strip() for item in (value if isinstance(value, list) else str(value).split(",")))
        return found

    def rendered(self, value: object, task: Task | None) -> object:
        if not isinstance(value, (Template, list)):
            return value
        try:
            return self.run.templar.render(value, self.run.store.scope("localhost", self.vars, task))
        except OpsError:
            return getattr(value, "source", value)


def title_of(task: Task) -> str:
    name = task.name.source if isinstance(task.name, Template) else str(task.name or task.written)
    return f"{task.role.full_name} : {name}" if task.role else name
