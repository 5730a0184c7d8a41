"""Origins: every place that sets a variable for a host, weakest first, by Ansible's documented precedence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opsplay.errors import Where
from opsplay.lazy_dataclass import dataclass
from opsplay.model.play import Play, RoleRef, Task, walk_tasks
from opsplay.templating.layer import VarLayer
from opsplay.templating.scope import MISSING
from opsplay.variables.store import PlayVars, VariableStore, all_dependencies


@dataclass(frozen=True, slots=True)
class Origin:
    """`when`: "always", "tasks" (only for the tasks named by `title`) or "run" (from that task on)."""

    title: str
    value: object
    where: Where | None = None
    when: str = "always"


def inventory_origins(store: VariableStore, host: str, name: str, playbook_dir: str | None) -> Iterator[Origin]:
    layers = store.inventory.host_layers(host, playbook_dir) if store.known(host) else []
    yield from in_layers(layers, name)


def origins(store: VariableStore, host: str, name: str, play: PlayVars | None) -> list[Origin]:
    """Those that hold for the host as the play starts come first, then those of single tasks and of the run."""
    found: list[Origin] = []
    if play is not None:
        found += in_layers((ref.defaults for ref in roles_of(play.play)), name)
    found += inventory_origins(store, host, name, play.playbook_dir if play else None)
    if play is not None:
        found += in_layers(play.layers, name)
        found += in_layers(play.file_layers.get(host, ()), name)
        found += in_layers((ref.vars for ref in roles_of(play.play)), name)
        found += task_origins(play.play, name)
    found += in_layers((store.extra,), name)
    return found


def in_layers(layers: Iterable[VarLayer], name: str) -> Iterator[Origin]:
    for layer in layers:
        if name in layer.values:
            yield Origin(layer.title, layer.values[name], layer.wheres.get(name))


def roles_of(play: Play) -> list[RoleRef]:
    """The play's roles in order, what they depend on before them; each once."""
    found: dict[int, RoleRef] = {}
    for ref in play.role_refs:
        for one in (*all_dependencies(ref), ref):
            found.setdefault(one.uid, one)
    return list(found.values())


def task_origins(play: Play, name: str) -> Iterator[Origin]:
    """What blocks, tasks and roles set for some tasks only, and what tasks set while the play runs."""
    seen: set[object] = set()
    for task in walk_tasks((*play.pre_tasks, *play.roles, *play.tasks, *play.post_tasks, *play.handlers)):
        for layer in (*task.layers, *((task.role.params,) if task.role else ())):
            if name in layer.values and id(layer) not in seen:
                seen.add(id(layer))
                yield Origin(f"{layer.title} {title_of(task)}", layer.values[name], layer.wheres.get(name), "tasks")
        yield from set_by(task, name)


def set_by(task: Task, name: str) -> Iterator[Origin]:
    if task.verb == "set_fact" and name in task.args:
        yield Origin(f"set_fact in {title_of(task)}", task.args[name], task.args_where.get(name) or task.where, "run")
    if task.register == name:
        yield Origin(f"register of {title_of(task)}", MISSING, task.where, "run")
    control = task.loop.control.get("loop_var", "item") if task.loop else None
    if control == name:
        yield Origin(f"loop variable of {title_of(task)}", MISSING, task.where, "tasks")


def title_of(task: Task) -> str:
    name = getattr(task.name, "source", task.name) or task.written
    return f'"{task.role.full_name} : {name}"' if task.role else f'"{name}"'
