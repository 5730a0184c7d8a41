"""Listings: --list-hosts, --list-tasks, --list-tags and --syntax-check, in the form that Ansible documents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opsplay.model.play import Play, Task, pattern_text, walk_tasks
from opsplay.plan.tags import is_selected
from opsplay.templating.template import Template

if TYPE_CHECKING:
    from opsplay.engine.launch import Prepared
    from opsplay.engine.run import Run


def show_listing(prepared: Prepared, flags: Mapping[str, Any]) -> int:
    """Print what the flags ask for; nothing is run. The exit code."""
    for book, _ in prepared.playbooks:
        print(f"\nplaybook: {book.path}")
        if flags.get("syntax_check"):
            continue
        for number, play in enumerate(book.plays, 1):
            print("\n".join(play_lines(prepared.run, play, number, flags)))
    sys.stdout.flush()
    return 0


def play_lines(run: Run, play: Play, number: int, flags: Mapping[str, Any]) -> Iterator[str]:
    tags = tags_of(run, play.keywords.get("tags", ()))
    yield f"\n  play #{number} ({pattern_text(play.hosts)}): {play.title}\tTAGS: [{','.join(sorted(tags))}]"
    if flags.get("list_hosts"):
        yield from host_lines(run, play)
    tasks = selected_tasks(run, play)
    if flags.get("list_tasks"):
        yield "    tasks:"
        for task in tasks:
            yield f"      {title_of(task)}\tTAGS: [{', '.join(sorted(tags | tags_of(run, task.keywords.get('tags', ()))))}]"
    if flags.get("list_tags"):
        found = tags.union(*(tags_of(run, task.keywords.get("tags", ())) for task in tasks))
        yield f"      TASK TAGS: [{', '.join(sorted(found))}]"


def host_lines(run: Run, play: Play) -> Iterator[str]:
    raw = run.templar.render(play.hosts, run.store.scope("localhost"))
    pattern = [str(item) for item in raw] if isinstance(raw, (list, tuple)) else [part for part in str(raw).split(",")]
    hosts = run.hosts_of(play)
    yield f"    pattern: {pattern!r}"
    yield f"    hosts ({len(hosts)}):"
    yield from (f"      {host}" for host in hosts)


def selected_tasks(run: Run, play: Play) -> list[Task]:
    options = run.options
    return [
        task
        for task in walk_tasks((*play.pre_tasks, *play.roles, *play.tasks, *play.post_tasks))
        if not (task.verb == "meta" and task.implicit)
        and is_selected(tags_of(run, task.keywords.get("tags", ())), options.tags, options.skip_tags)
    ]


def title_of(task: Task) -> str:
    name = task.name.source if isinstance(task.name, Template) else str(task.name or task.written)
    return f"{task.role.full_name} : {name}" if task.role else name


def tags_of(run: Run, tags: object) -> set[str]:
    """The tags as texts; one that needs a host's variables stays as written."""
    found: set[str] = set()
    for tag in tags if isinstance(tags, Iterable) and not isinstance(tags, str) else (tags,):
        value = resolved(run, tag)
        found.update(str(item).strip() for item in (value if isinstance(value, list) else str(value).split(",")))
    return found


def resolved(run: Run, value: object) -> object:
    from opsplay.errors import OpsError

    if not isinstance(value, Template):
        return value
    try:
        return run.templar.render(value, run.store.scope("localhost"))
    except OpsError:
        return value.source
