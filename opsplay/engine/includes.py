"""Includes: include_tasks and include_role, opened while the play runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from opsplay.engine.conductor import Key, Turn
from opsplay.engine.outcomes import Unreadable
from opsplay.errors import OpsError
from opsplay.events import Included
from opsplay.lazy_dataclass import dataclass
from opsplay.model.building import Parent, Workshop
from opsplay.model.imports import (
    ROLE_ARGUMENTS,
    check_arguments,
    check_sources,
    find_tasks_file,
    merge_layers,
    require_list,
)
from opsplay.model.keywords import inherit
from opsplay.model.play import Block, Entry, RoleRef, Task
from opsplay.model.roles import RoleUse, block_role, build_role
from opsplay.model.tasks import build_entries
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode
from opsplay.templating.layer import VarLayer
from opsplay.templating.omit import OMIT
from opsplay.truth import is_true

if TYPE_CHECKING:
    from opsplay.engine.play_run import PlayRun
    from opsplay.engine.task_run import TaskRun
    from opsplay.engine.walk import Walk
    from opsplay.variables.scope import Scope

TASKS_ARGS = frozenset({"_raw_params", "file", "apply"})
ABSENT = frozenset({"tasks-not-found", "role-not-found"})
ROLE_ARGS = ROLE_ARGUMENTS | {"apply"}


@dataclass
class Include:
    """One file or role that a host is to enter; `temporary` are the loop's variables."""

    path: str
    args: dict[str, Any]
    layer: VarLayer
    use: RoleUse | None = None
    temporary: Mapping[str, object] = field(default_factory=dict)
    label: str = ""  # of the loop's item

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Hosts for which this is equal enter it together."""
        variables = repr(sorted(self.temporary.items(), key=lambda item: item[0]))
        return self.path, self.label, variables, repr(self.layer.values)


class Includes:
    """A play's; what one host built serves all others."""

    def __init__(self, play_run: PlayRun) -> None:
        self.play_run = play_run
        self._built: dict[object, tuple[tuple[Entry, ...], tuple[RoleRef, ...]]] = {}

    def read(self, work: TaskRun, scope: Scope) -> dict[str, Any]:
        """The include's result; what it names is noted for the walk. Raises OpsError."""
        task = work.task
        run = self.play_run.run
        rendered = {key: run.templar.render(value, scope) for key, value in task.args.items()}
        args = {key: value for key, value in rendered.items() if value is not OMIT}
        layer = merge_layers("include params", task.layers[len(task.inherited_layers) :])
        include = self.of_role(task, args, layer) if task.verb == "include_role" else self.of_tasks(task, args, layer)
        include.temporary = {name: value for name, value in scope.temporary.items()}
        self.build(task, include)  # what is wrong with it is this task's failure
        work.included.append(include)
        return {"changed": False, "include": include.path, "include_args": {}}

    def of_tasks(self, task: Task, args: dict[str, Any], layer: VarLayer) -> Include:
        check_arguments(task, args, TASKS_ARGS)
        name = args.get("_raw_params", args.get("file"))
        if not isinstance(name, str) or not name:
            raise OpsError(
                "missing-argument", f"No file specified for {task.written}", task.where, "Write include_tasks: FILE.yml"
            )
        path = find_tasks_file(self.play_run.workshop, name, task)
        return Include(str(path), args, layer)

    def of_role(self, task: Task, args: dict[str, Any], layer: VarLayer) -> Include:
        check_arguments(task, args, ROLE_ARGS)
        check_sources(task, args)
        name = args.get("name") or args.get("role")
        if not name:
            raise OpsError(
                "missing-argument", "'name' is a required field for include_role.", task.where, "Add name: ROLE."
            )
        use = RoleUse(
            name=str(name), where=task.where, tasks_from=str(args.get("tasks_from") or "main"), vars_from=args.get("vars_from"),
            defaults_from=args.get("defaults_from"), handlers_from=args.get("handlers_from") or "main",
            public=is_true(args.get("public", self.public)), validate=is_true(args.get("rolespec_validate", True)), from_include=True,
            allow_duplicates=is_true(args.get("allow_duplicates", True)),
        )  # fmt: skip
        return Include(str(name), args, layer, use)

    @property
    def public(self) -> bool:
        """Whether roles show their variables where the task does not say: only where the settings ask for it."""
        settings = self.play_run.run.settings
        return "private_role_vars" in settings.given and not settings.private_role_vars

    async def enter(self, walk: Walk, task: Task, key: Key, turn: Turn, include: Include) -> None:
        entries, roles = self.build(task, include)
        index = turn.include_index(include.identity)
        before = walk.params
        extra = [layer for layer in (include.layer, VarLayer("loop variables", include.temporary)) if layer]
        walk.params = (*before, *extra)
        if include.use is not None and include.use.public:
            self.play_run.expose(roles)
        try:
            await walk.entries(entries, (*key, index))
        finally:
            walk.params = before

    def build(self, task: Task, include: Include) -> tuple[tuple[Entry, ...], tuple[RoleRef, ...]]:
        """The entries, built once for each file or use. Raises OpsError with the first problem in them."""
        where = (task.uid, include.path, repr(include.use) if include.use else "", repr(include.args.get("apply")))
        if where not in self._built:
            self._built[where] = (
                self.build_role(task, include) if include.use else (self.build_tasks(task, include), ())
            )
        return self._built[where]

    def parent(self, task: Task, include: Include) -> Parent:
        keywords = inherit(task.inherited, applied(self.play_run.workshop, include.args.get("apply")))
        layer = apply_vars(include.args.get("apply"))
        layers = (*task.inherited_layers, layer) if layer else task.inherited_layers
        return Parent(keywords=keywords, layers=layers, role=task.role, is_handler=task.is_handler)

    def build_tasks(self, task: Task, include: Include) -> tuple[Entry, ...]:
        from pathlib import Path

        shop = self.play_run.workshop
        path = Path(include.path)
        node = shop.read(path)
        require_list(node, path, task)
        entries = build_entries(shop, node, self.parent(task, include))
        self.settle(task)
        return entries

    def build_role(self, task: Task, include: Include) -> tuple[tuple[Entry, ...], tuple[RoleRef, ...]]:
        shop = self.play_run.workshop
        shop.play_handlers = []
        assert include.use is not None
        try:
            block = build_role(shop, include.use, self.parent(task, include))
        except OpsError as error:
            if error.code != "file-outside-role":
                raise
            raise Unreadable(error) from None
        self.settle(task)
        self.play_run.handlers.add(tuple(shop.play_handlers))  # type: ignore[arg-type]
        return (block,), roles_of(block)

    def settle(self, task: Task) -> None:
        """Raises what is wrong in the text: a missing file or role as the task's own failure, anything else ends the run."""
        problems = list(self.play_run.workshop.problems)
        self.play_run.workshop.problems.clear()
        for problem in problems:
            if problem.code not in ABSENT:
                raise Unreadable(problem)
        if problems:
            problem = problems[0]
            raise OpsError(
                problem.code, f"{problem.message}: Unable to retrieve file contents.\n{problem.message}, which {problem.where} imports",
                task.where, problem.remedy,
            )  # fmt: skip

    def announce(self, turn: Turn) -> None:
        for identity, hosts in turn.included.items():
            path, label, *_ = identity
            self.play_run.run.emit(Included(time.time(), turn.task.uid, tuple(hosts), turn.task.verb, path, label))


def roles_of(block: Block) -> tuple[RoleRef, ...]:
    from opsplay.model.playbooks import static_roles

    found = static_roles((block,))
    own = block_role(block)
    return found if own is None or own in found else (*found, own)


def applied(shop: Workshop, apply: object) -> dict[str, object]:
    """The keywords under `apply`, read as if they stood on a block."""
    if not isinstance(apply, Mapping):
        return {}
    from opsplay.model.keyword_values import read_keyword

    return {str(name): read_keyword(shop, str(name), as_node(value)) for name, value in apply.items() if name != "vars"}


def apply_vars(apply: object) -> VarLayer | None:
    variables = apply.get("vars") if isinstance(apply, Mapping) else None
    return VarLayer("apply vars", dict(variables)) if isinstance(variables, Mapping) else None


def as_node(value: object) -> Node:
    from opsplay.errors import Where

    nowhere = Where("apply")
    if isinstance(value, Mapping):
        return MapNode(tuple((ScalarNode(key, nowhere), as_node(item)) for key, item in value.items()), nowhere)
    if isinstance(value, (list, tuple)):
        return ListNode(tuple(as_node(item) for item in value), nowhere)
    return ScalarNode(value, nowhere)
