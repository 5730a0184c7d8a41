"""Roles: finds a role, reads its defaults, vars, meta, handlers and tasks, its dependencies first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.lazy_dataclass import dataclass
from opsplay.model import keywords as words
from opsplay.model.building import Parent, Workshop, as_list, text_of
from opsplay.model.keyword_values import keyword_values
from opsplay.model.play import Block, Entry, RoleRef, Task
from opsplay.source.nodes import MapNode, Node, ScalarNode, plain
from opsplay.source.yaml_reader import read_yaml
from opsplay.templating.layer import VarLayer, layer_from_node
from opsplay.templating.values import compile_value

EXTENSIONS = ("", ".yml", ".yaml", ".json")


@dataclass(frozen=True, slots=True)
class RoleUse:
    """One mention of a role: under roles:, in meta dependencies, by import_role or include_role."""

    name: str
    where: Where
    tasks_from: str = "main"
    vars_from: object = None
    defaults_from: object = None
    handlers_from: object = "main"
    params: VarLayer = field(default_factory=lambda: VarLayer("role params"))
    public: bool | None = None  # None: as private_role_vars says
    validate: bool = True
    allow_duplicates: bool | None = None  # None: as the role's meta says
    from_import: bool = False
    from_include: bool = False
    own: Mapping[str, object] = field(default_factory=dict)


def build_roles(shop: Workshop, node: Node | None, parent: Parent) -> tuple[Entry, ...]:
    """The blocks of a play's `roles:`."""
    entries: list[Entry] = []
    for item in as_list(node):
        try:
            entries.append(build_role(shop, read_use(shop, item), parent))
        except OpsError as error:
            shop.problems.append(error)
    return tuple(entries)


def read_use(shop: Workshop, node: Node) -> RoleUse:
    """`- name`, `- role: name`, keywords and parameters beside it. Raises OpsError."""
    if isinstance(node, ScalarNode) and node.value is not None:
        if "," in str(node.value) and "{{" not in str(node.value):
            raise OpsError("old-role-form", f"Invalid old style role requirement: {node.value}", node.where, "Write - role: NAME")
        return RoleUse(str(shop.render(compile_value(node), shop.play_layers)), node.where)
    if not isinstance(node, MapNode) or not ("role" in node or "name" in node or "src" in node):
        raise OpsError("no-role-name", "role definitions must contain a role name", node.where, "Write - role: NAME")
    name_node = node.get("role") or node.get("name") or node.get("src")
    name = str(shop.render(compile_value(name_node), shop.play_layers))  # type: ignore[arg-type]
    own = keyword_values(shop, node, words.ROLE - {"role"})
    layer = layer_from_node("role vars", node.get("vars"))
    known = words.ROLE | {"name", "src", "version", "scm", "public"}
    pairs = [(key, value) for key, value in node.pairs if str(key.value) not in known]
    values = {**layer.values, **{str(key.value): compile_value(value) for key, value in pairs}}
    wheres = {**layer.wheres, **{str(key.value): key.where for key, _ in pairs}}
    return RoleUse(name, node.where, params=VarLayer("role params", values, wheres), own=own)


def build_role(shop: Workshop, use: RoleUse, parent: Parent, ancestors: tuple[str, ...] = ()) -> Block:
    """The role as a block: its dependencies' blocks, then its own tasks. Its handlers join the play's."""
    keywords = words.inherit(parent.keywords, use.own) if use.own else parent.keywords
    ref, meta = load_role(shop, use, parent, ancestors)
    dependencies = build_dependencies(shop, ref, meta, parent.with_(keywords=keywords, role=ref), ancestors)
    ref = with_dependencies(ref, dependencies)
    layers = (*parent.layers,)
    inner = Parent(keywords=with_role_defaults(keywords, meta, ref.collection), layers=layers, role=ref)
    add_handlers(shop, ref, use, inner)
    tasks = role_tasks(shop, ref, use, inner)
    allowed = meta.get("allow_duplicates", False) if use.allow_duplicates is None else use.allow_duplicates
    own = Block(
        shop.uid(), None, (*argument_check(shop, ref, use, inner), *tasks), (), (), keywords, use.where, ref, role_start=True, marks=once_key(ref, use), once=not allowed,
    )  # fmt: skip
    if not dependencies:
        return own
    return Block(shop.uid(), None, (*dependencies, own), (), (), keywords, use.where, parent.role)


def once_key(ref: RoleRef, use: RoleUse) -> object:
    """Equal for two mentions of a role with the same parameters, keywords and files: the second does not run again."""
    params = repr(sorted(ref.params.values.items(), key=lambda item: item[0]))
    when = repr([condition for condition, _ in use.own.get("when") or ()])  # type: ignore[attr-defined]
    files = repr((use.tasks_from, use.vars_from, use.defaults_from, use.handlers_from))
    return ref.path, params, when, repr(use.own.get("tags")), files, use.from_import or use.from_include


def with_dependencies(ref: RoleRef, blocks: list[Block]) -> RoleRef:
    from dataclasses import replace

    return replace(ref, dependencies=tuple(found for block in blocks if (found := block_role(block))))


def block_role(block: Block) -> RoleRef | None:
    if block.role_start:
        return block.role
    inner = [entry for entry in block.block if isinstance(entry, Block)]
    return block_role(inner[-1]) if inner else None


def with_role_defaults(keywords: Mapping[str, object], meta: Mapping[str, object], home: str) -> Mapping[str, object]:
    """The collections that the role names, and before all others the one that it belongs to."""
    named = meta.get("collections")
    found = tuple(named) if isinstance(named, list) else keywords.get("collections", ())
    if home and isinstance(found, tuple) and home not in found:
        found = (home, *found)
    return {**keywords, "collections": found} if found else keywords


def load_role(
    shop: Workshop, use: RoleUse, parent: Parent, ancestors: tuple[str, ...]
) -> tuple[RoleRef, dict[str, object]]:
    path, collection = find_role(shop, use, parent)
    shop.catalog.add_role(str(path))
    shop.new_folder(path)
    name = use.name.rpartition(".")[2] if collection else Path(use.name).name if "/" in use.name else use.name
    if ancestors.count(str(path)) > 20:
        raise OpsError("role-recursion", f"A recursion loop was detected with the roles specified. Make sure child roles do not have dependencies on parent roles: {circle(ancestors)}",
                       use.where, "Remove one of the dependencies.")  # fmt: skip
    parents = (*parent.role.parents, parent.role) if parent.role else ()
    ref = RoleRef(
        name=name, path=str(path), collection=collection,
        defaults=role_vars(shop, path, "defaults", use.defaults_from, f"role {name} defaults", use),
        vars=role_vars(shop, path, "vars", use.vars_from, f"role {name} vars", use),
        params=use.params, parents=parents, public=use.public,
        static=not use.from_include, uid=next(shop.serial),
    )  # fmt: skip
    return ref, role_meta(shop, path)


def circle(ancestors: tuple[str, ...]) -> str:
    """The roles that depend on each other, once around."""
    names = [Path(path).name for path in ancestors]
    return " -> ".join([*names[: ancestors.index(ancestors[0], 1)], names[0]]) if ancestors.count(ancestors[0]) > 1 else " -> ".join(names[-3:])


def find_role(shop: Workshop, use: RoleUse, parent: Parent) -> tuple[Path, str]:
    """The role's folder and its collection. Raises OpsError listing where it was looked for."""
    name = use.name
    if name.count(".") >= 2 and "/" not in name and (found := collection_role(shop, name)):
        return found, ".".join(name.split(".")[:2])
    collections = parent.keywords.get("collections")
    for collection in collections if isinstance(collections, tuple) else ():
        if found := collection_role(shop, f"{collection}.{name}"):
            return found, str(collection)
    if parent.role and parent.role.collection and (found := collection_role(shop, f"{parent.role.collection}.{name}")):
        return found, parent.role.collection
    folders = role_folders(shop, parent, use)
    for folder in folders:
        path = folder / name
        if path.is_dir():
            return path.resolve(), ""
    absolute = Path(name).expanduser()
    if absolute.is_absolute() and absolute.is_dir():
        return absolute, ""
    near = did_you_mean(
        name, {child.name for folder in folders if folder.is_dir() for child in folder.iterdir() if child.is_dir()}
    )
    looked = ":".join(str(folder) for folder in folders)
    raise OpsError(
        "role-not-found",
        f"the role '{name}' was not found in {looked}",
        use.where,
        near or "Set roles_path, or ANSIBLE_ROLES_PATH.",
    )


def role_folders(shop: Workshop, parent: Parent, use: RoleUse) -> list[Path]:
    folders = [shop.playbook_dir / "roles", *(Path(item).expanduser() for item in shop.settings.roles_path)]
    if parent.role:
        folders.append(Path(parent.role.path).parent)
        folders.insert(0, Path(parent.role.path) / "roles")
    return list(dict.fromkeys([*folders, shop.playbook_dir, Path(use.where.path).absolute().parent]))


def collection_role(shop: Workshop, name: str) -> Path | None:
    namespace, collection, *rest = name.split(".")
    for base in shop.catalog.collections_path:
        path = Path(base) / "ansible_collections" / namespace / collection / "roles" / "/".join(rest)
        if path.is_dir():
            return path
    return None


def find_part(path: Path, folder: str, name: str, where: Where | None = None) -> Path | None:
    """`main` (or another name) of a role's folder, with any known extension. Raises OpsError for one that is elsewhere."""
    for extension in (".yml", ".yaml", ".json", ""):
        candidate = path / folder / f"{name}{extension}"
        if candidate.exists():
            check_inside(candidate, path / folder, path.name, where)
            return candidate
    return None


def check_inside(file: Path, folder: Path, role: str, where: Where | None) -> None:
    """As written: a link in the folder may well lead elsewhere."""
    found, home = os.path.normpath(file), os.path.normpath(folder)
    if os.path.commonpath((found, home)) != home:
        raise OpsError(
            "file-outside-role",
            f"Failed loading '{file}' for role ({role}) as it is not inside the expected role path: '{home}'",
            where, f"Name a file of that folder: {listing(folder)}",
        )


def role_vars(shop: Workshop, path: Path, folder: str, chosen: object, title: str, use: RoleUse) -> VarLayer:
    name = str(chosen) if chosen else "main"
    part = find_part(path, folder, name, use.where)
    if part is None:
        if chosen:
            raise OpsError(
                "file-not-found",
                f"Could not find specified file in role: {folder}/{name}",
                use.where,
                f"Files there: {listing(path / folder)}",
            )
        return VarLayer(title)
    files = (
        sorted(item for item in part.rglob("*") if item.is_file() and item.suffix in (".yml", ".yaml", ".json"))
        if part.is_dir()
        else [part]
    )
    values: dict[str, object] = {}
    wheres: dict[str, Where] = {}
    for file in files:
        layer = layer_from_node(title, shop.read(file))
        values.update(layer.values)
        wheres.update(layer.wheres)
    return VarLayer(title, values, wheres)


def listing(folder: Path) -> str:
    return ", ".join(sorted(item.name for item in folder.iterdir())) if folder.is_dir() else "none"


def role_meta(shop: Workshop, path: Path) -> dict[str, object]:
    part = find_part(path, "meta", "main")
    node = shop.read(part) if part else None
    if node is None:
        return {}
    if not isinstance(node, MapNode):
        raise OpsError(
            "bad-role-meta",
            f"the 'meta/main.yml' for role {path.name} is not a dictionary",
            node.where,
            "Write NAME: VALUE pairs.",
        )
    meta = {str(key.value): plain(value) for key, value in node.pairs if key.value != "dependencies"}
    return {**meta, "dependencies": node.get("dependencies")}


def build_dependencies(
    shop: Workshop, ref: RoleRef, meta: Mapping[str, object], parent: Parent, ancestors: tuple[str, ...]
) -> list[Block]:
    blocks = []
    for item in as_list(meta.get("dependencies")):  # type: ignore[arg-type]
        use = read_use(shop, item)
        blocks.append(build_role(shop, use, parent, (*ancestors, ref.path)))
    return blocks


def add_handlers(shop: Workshop, ref: RoleRef, use: RoleUse, parent: Parent) -> None:
    from opsplay.model.tasks import build_entries

    part = find_part(Path(ref.path), "handlers", str(use.handlers_from or "main"), use.where)
    if part is not None and part.is_file():
        entries = build_entries(shop, shop.read(part), parent.with_(is_handler=True))
        shop.play_handlers.append(Block(shop.uid(), None, entries, (), (), {}, use.where, ref))


def role_tasks(shop: Workshop, ref: RoleRef, use: RoleUse, parent: Parent) -> tuple[Entry, ...]:
    from opsplay.model.tasks import build_entries

    part = find_part(Path(ref.path), "tasks", use.tasks_from, use.where)
    if part is None:
        if use.tasks_from != "main":
            raise OpsError("file-not-found", f"Could not find specified file in role: tasks/{use.tasks_from}", use.where,
                           f"Files there: {listing(Path(ref.path) / 'tasks')}")  # fmt: skip
        return ()
    return build_entries(shop, shop.read(part), parent)


def argument_check(shop: Workshop, ref: RoleRef, use: RoleUse, parent: Parent) -> tuple[Task, ...]:
    """The task that validates a role's arguments, where meta/argument_specs.yml has an entry for the entry point."""
    spec = argument_specs(ref).get(Path(use.tasks_from).stem)
    if spec is None or not use.validate:
        return ()
    description = spec.get("short_description") or ""
    name = f"Validating arguments against arg spec '{Path(use.tasks_from).stem}'" + (
        f" - {description}" if description else ""
    )
    args: dict[str, object] = {
        "argument_spec": spec.get("options", {}) or {}, "provided_arguments": dict(use.params.values),
        "validate_args_context": {"type": "role", "name": ref.name, "argument_spec_name": Path(use.tasks_from).stem, "path": ref.path},
    }  # fmt: skip
    keywords = {**parent.keywords, "tags": (*_tags(parent), "always")}
    return (
        Task(shop.uid(), name, "validate_argument_spec", "ansible.builtin.validate_argument_spec", args, use.where, keywords, {}, parent.keywords,
             layers=parent.layers, inherited_layers=parent.layers, role=ref, implicit=True),
    )  # fmt: skip


def _tags(parent: Parent) -> tuple[object, ...]:
    tags = parent.keywords.get("tags", ())
    return tags if isinstance(tags, tuple) else ()


def argument_specs(ref: RoleRef) -> dict[str, dict[str, object]]:
    """meta/argument_specs.yml, or the argument_specs key of meta/main.yml, as plain data."""
    for name in ("argument_specs", "main"):
        part = find_part(Path(ref.path), "meta", name)
        node = read_yaml(part) if part else None
        if isinstance(node, MapNode) and isinstance(specs := node.get("argument_specs"), MapNode):
            return {str(key): dict(value) for key, value in plain(specs).items() if isinstance(value, dict)}  # type: ignore[attr-defined]
    return {}


__all__ = ["RoleUse", "build_role", "build_roles", "text_of"]
