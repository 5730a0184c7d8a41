"""Imports: import_tasks and import_role opened while the playbook is read, their keywords given to every child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.model.building import Parent, Workshop
from opsplay.model.keywords import inherit
from opsplay.model.play import Block, Entry, Task
from opsplay.templating.layer import VarLayer
from opsplay.templating.omit import OMIT
from opsplay.templating.values import is_dynamic
from opsplay.truth import is_true

ROLE_ARGUMENTS = frozenset(  # of include_role and import_role
    ["name", "role", "tasks_from", "vars_from", "defaults_from", "handlers_from", "public", "allow_duplicates", "rolespec_validate"]
)


def expand_import(shop: Workshop, task: Task, parent: Parent) -> list[Entry]:
    """The task itself, or for an import the block of what it names."""
    if task.verb == "import_tasks":
        return [import_tasks(shop, task, parent)]
    if task.verb == "import_role":
        return [import_role(shop, task, parent)]
    if task.verb == "include_tasks":
        file_argument(task)
    if task.verb == "include_role":
        check_sources(task, {name: value for name, value in task.args.items() if not is_dynamic(value)})
    if task.verb == "include":
        return expand_include(shop, task, parent)
    return [task]


def expand_include(shop: Workshop, task: Task, parent: Parent) -> list[Entry]:
    """`include`, gone from Ansible 2.16 and still in public roles: static where it can be, as it used to be."""
    if task.loop is None and not is_dynamic(task.args.get("_raw_params", task.args.get("file"))):
        return [import_tasks(shop, replace(task, verb="import_tasks"), parent)]
    return [replace(task, verb="include_tasks")]


def import_tasks(shop: Workshop, task: Task, parent: Parent) -> Block:
    refuse_loop(task)
    check_arguments(task, task.args, frozenset({"_raw_params", "file"}))
    name = file_argument(task)
    path = find_tasks_file(shop, str(shop.render(name, static_layers(shop, task))), task)
    return tasks_block(shop, path, task, parent)


def tasks_block(shop: Workshop, path: Path, task: Task, parent: Parent) -> Block:
    from opsplay.model.tasks import build_entries

    inner = parent.with_(keywords=inherit(parent.keywords, task.own), layers=task.layers)
    node = shop.read(path)
    require_list(node, path, task)
    with shop.inside(path.name if path.parent == shop.playbook_dir else str(path), task.where):
        entries = build_entries(shop, node, inner)
    return Block(shop.uid(), None, entries, (), (), inner.keywords, task.where, task.role)


def require_list(node: object, path: Path, task: Task) -> None:
    from opsplay.source.nodes import ListNode

    if node is not None and not isinstance(node, ListNode):
        where = getattr(node, "where", task.where)
        raise OpsError(
            "not-a-task-list", "a tasks file is a list of tasks", where, f"Start every task of {path.name} with a dash."
        )


def import_role(shop: Workshop, task: Task, parent: Parent) -> Block:
    from opsplay.model.roles import RoleUse, build_role

    refuse_loop(task)
    check_arguments(task, task.args, ROLE_ARGUMENTS)
    args = {
        key: shop.render(value, (*shop.play_layers, *task.layers))
        for key, value in task.args.items()
        if key != "_raw_params"
    }
    args = {key: value for key, value in args.items() if value is not OMIT}
    check_sources(task, args)
    own_layer = task.layers[len(task.inherited_layers) :]
    use = RoleUse(
        name=str(args.get("name") or args.get("role") or ""), where=task.where,
        tasks_from=str(args.get("tasks_from", "main")), vars_from=args.get("vars_from"), defaults_from=args.get("defaults_from"),
        handlers_from=args.get("handlers_from", "main"), params=merge_layers("role params", own_layer),
        public=is_true(args["public"]) if "public" in args else None,
        validate=is_true(args.get("rolespec_validate", True)), from_import=True,
        allow_duplicates=is_true(args.get("allow_duplicates", True)),
    )  # fmt: skip
    if not use.name:
        raise OpsError("missing-argument", "'name' is a required field for import_role.", task.where, "Add name: ROLE.")
    inner = parent.with_(keywords=inherit(parent.keywords, task.own), layers=task.layers)
    with shop.inside(f"role {use.name} ({use.tasks_from})", task.where):
        return build_role(shop, use, inner)


def check_arguments(task: Task, args: Mapping[str, object], known: frozenset[str]) -> None:
    unknown = [name for name in args if name not in known]
    if unknown:
        raise OpsError(
            "unknown-argument",
            f"Invalid options for {task.written}: {','.join(unknown)}",
            task.where,
            did_you_mean(unknown[0], set(known)),
        )
    if "apply" in args and not isinstance(args["apply"], Mapping):
        raise OpsError(
            "bad-argument",
            f"Expected a dict for apply but got {type(args['apply']).__name__} instead",
            task.where,
            "Write apply: {tags: ...}",
        )


def check_sources(task: Task, args: Mapping[str, object]) -> None:
    """tasks_from and its siblings are names of files. Raises OpsError."""
    for name in ("tasks_from", "vars_from", "defaults_from", "handlers_from"):
        value = args.get(name)
        if value is not None and not isinstance(value, str):
            raise OpsError("bad-argument", f"Expected a string for {name} but got {type(value)} instead", task.where, f"Write {name}: FILE.yml")


def static_layers(shop: Workshop, task: Task) -> tuple[VarLayer, ...]:
    """What an import's name may use, lowest first: the role it is in, the play, the blocks around it."""
    role = task.role
    if role is None:
        return (*shop.play_layers, *task.layers)
    magic = VarLayer("magic", {"role_path": role.path, "role_name": role.name, "ansible_role_name": role.full_name})
    return (role.defaults, *shop.play_layers, role.vars, *task.layers, role.params, magic)


def merge_layers(title: str, layers: tuple[VarLayer, ...]) -> VarLayer:
    values: dict[str, object] = {}
    wheres: dict[str, Where] = {}
    for layer in layers:
        values.update(layer.values)
        wheres.update(layer.wheres)
    return VarLayer(title, values, wheres)


def refuse_loop(task: Task) -> None:
    if task.loop is not None:
        raise OpsError(
            "loop-on-import", f"You cannot use loops on '{task.written}' statements. You should use 'include_{task.verb[7:]}' instead.",
            task.loop.where, f"Write include_{task.verb[7:]}: it is opened at run time, once for each item.",
        )  # fmt: skip


def file_argument(task: Task) -> object:
    name = task.args.get("_raw_params", task.args.get("file"))
    if name is None:
        raise OpsError(
            "missing-argument", f"No file specified for {task.written}", task.where, f"Write {task.written}: FILE.yml"
        )
    return name


def find_tasks_file(shop: Workshop, name: str, task: Task, subdir: str | None = None) -> Path:
    """The file as Ansible searches it: the role's tasks folder, the including file's folder, the playbook's folder."""
    subdir = subdir or ("handlers" if task.is_handler else "tasks")
    candidates = [Path(name)] if Path(name).is_absolute() else task_file_candidates(shop, name, task, subdir)
    for path in candidates:
        if path.is_file():
            return path.resolve()
    looked = "\n".join(f"  {path}" for path in candidates)
    raise OpsError(
        "tasks-not-found",
        f"Could not find or access '{name}'",
        task.where,
        f"Looked for:\n{looked}",
        width=len(task.written),
    )


def task_file_candidates(shop: Workshop, name: str, task: Task, subdir: str) -> list[Path]:
    here = Path(task.where.path).parent
    folders = [here]
    if task.role is not None:
        role = Path(task.role.path)
        folders = [role / subdir, here, role / "tasks", role]
        folders += [
            base for parent in reversed(task.role.parents) for base in (Path(parent.path) / subdir, Path(parent.path))
        ]
    folders += [shop.playbook_dir / subdir if subdir == "handlers" else shop.playbook_dir, shop.playbook_dir]
    if task.role is None:
        folders.insert(1, here / subdir)
    seen: dict[Path, None] = {}
    for folder in folders:
        seen.setdefault(folder / name)
    return list(seen)
