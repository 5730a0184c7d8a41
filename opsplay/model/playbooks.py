"""Playbooks: reads a playbook's file into plays, import_playbook opened in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opsplay.errors import Fault, OpsError, Where
from opsplay.model import keywords as words
from opsplay.model.building import Parent, Workshop, as_list, check_keys, only_list, text_of
from opsplay.model.collection_places import collection_of, collection_playbook
from opsplay.model.keyword_values import conditions, keyword_values, tags
from opsplay.model.play import Block, Entry, Play, Playbook, RoleRef
from opsplay.model.roles import block_role, build_roles
from opsplay.model.tasks import build_entries
from opsplay.source.nodes import ListNode, MapNode, Node, plain
from opsplay.templating.layer import VarLayer, layer_from_node
from opsplay.templating.values import compile_value


def read_playbook(shop: Workshop, path: Path) -> Playbook:
    """What of the playbook can be read; what is wrong with the rest is in the workshop's `problems`."""
    return Playbook(str(path), tuple(read_plays(shop, path, Parent(), None)))


def read_plays(shop: Workshop, path: Path, parent: Parent, mention: Where | None) -> list[Play]:
    if not path.is_file():
        raise OpsError("playbook-not-found", f"the playbook: {path} could not be found" if mention is None else f"Could not find or access '{path}'",
                       mention, "Check the path.", fault=Fault.USAGE)  # fmt: skip
    node = shop.read(path)
    if not isinstance(node, ListNode):
        where = node.where if node is not None else Where(str(path), 1, 1)
        raise OpsError(
            "not-a-playbook",
            "A playbook must be a list of plays" if node is not None else "the playbook is empty",
            where,
            "Write\n  - hosts: all\n    tasks: [...]",
        )
    shop.catalog.add_role(str(path.parent))  # a playbook's folder holds modules as a role's does
    if not node.items:
        raise OpsError("empty-playbook", "A playbook must contain at least one play", node.where, "Write\n  - hosts: all\n    tasks: [...]")
    plays: list[Play] = []
    for item in node.items:
        plays += read_entry(shop, item, path, parent)
    return plays


def read_entry(shop: Workshop, node: Node, path: Path, parent: Parent) -> list[Play]:
    if not isinstance(node, MapNode):
        shop.problem(
            "not-a-play",
            "playbook entries must be either valid plays or 'import_playbook' statements",
            node.where,
            "Write - hosts: all",
        )
        return []
    for key in ("import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"):
        if key in node:
            return import_playbook(shop, node, key, path, parent)
    try:
        return [read_play(shop, node, path, parent)]
    except OpsError as error:
        shop.problems.append(error)
        return []


def import_playbook(shop: Workshop, node: MapNode, key: str, path: Path, parent: Parent) -> list[Play]:
    check_keys(shop, node, words.IMPORT_PLAYBOOK | {key}, "PlaybookInclude")
    layer = layer_from_node("import_playbook vars", node.get("vars"))
    layers = (*parent.layers, layer) if layer else parent.layers
    raw = node.get(key)
    text = text_of(raw) or ""
    name = str(shop.render(compile_value(raw), layers)) if raw is not None else ""
    name = name.split()[0] if name and not (path.parent / name).exists() else name
    if not text:
        raise OpsError(
            "missing-argument", "import_playbook needs a file", node.where, "Write import_playbook: FILE.yml"
        )
    own: dict[str, object] = {}
    if "when" in node:
        own["when"] = conditions(node.get("when"))  # type: ignore[arg-type]
    if "tags" in node:
        own["tags"] = tags(node.get("tags"))  # type: ignore[arg-type]
    target = find_playbook(shop, name, path)
    before = shop.playbook_dir
    shop.playbook_dir = target.parent
    try:
        with shop.inside(str(target.resolve()), node.where):
            return read_plays(shop, target, Parent(words.inherit(parent.keywords, own), layers), node.where)
    finally:
        shop.playbook_dir = before


def find_playbook(shop: Workshop, name: str, path: Path) -> Path:
    local = path.parent / name
    return local if local.exists() else collection_playbook(name, shop.catalog.collections_path) or local


def with_home_collection(own: dict[str, object], path: Path) -> dict[str, object]:
    """A playbook of a collection finds its modules and roles by their short names."""
    home = collection_of(path)
    collections = own.get("collections", ())
    if not home or not isinstance(collections, tuple) or home in collections:
        return own
    return {**own, "collections": (home, *collections)}


def read_play(shop: Workshop, node: MapNode, path: Path, parent: Parent) -> Play:
    check_keys(shop, node, words.PLAY, "Play")
    if "hosts" not in node:
        raise OpsError(
            "no-hosts",
            "the field 'hosts' is required but was not set",
            node.where,
            "Add hosts: all, or a group's name.",
        )
    hosts_node = node.get("hosts")
    if hosts_node is None or isinstance(hosts_node, MapNode) or (text_of(hosts_node) is None and not isinstance(hosts_node, ListNode)):
        raise OpsError(
            "no-hosts",
            "Hosts list cannot be empty. Please check your playbook",
            hosts_node.where if hosts_node else node.where,
            "Write hosts: all, or a group's name.",
        )
    check_sections(node, shop.settings.compatible)
    own = keyword_values(shop, node, (words.PLAY | {"fact_path", "gather_subset"}) - _SPECIAL)
    if "user" in own:
        own.setdefault("remote_user", own.pop("user"))
    layers = tuple(shop.watch(layer) for layer in play_layers(node, parent))
    shop.play_layers = layers
    shop.play_handlers = []
    keywords = words.inherit(parent.keywords, with_home_collection(own, path))
    inner = Parent(keywords={key: value for key, value in keywords.items() if key in _PASSED_DOWN})
    pre = build_entries(shop, only_list(node.get("pre_tasks"), "pre_tasks"), inner)
    roles = build_roles(shop, node.get("roles"), inner)
    tasks = build_entries(shop, only_list(node.get("tasks"), "tasks"), inner)
    post = build_entries(shop, only_list(node.get("post_tasks"), "post_tasks"), inner)
    from_roles: list[Entry] = shop.play_handlers  # type: ignore[assignment]
    in_play = build_entries(shop, only_list(node.get("handlers"), "handlers"), inner.with_(is_handler=True))
    handlers = (*from_roles, Block(shop.uid(), None, in_play, (), (), {}, node.where))
    return Play(
        name=compile_value(node.get("name")) if "name" in node else None,  # type: ignore[arg-type]
        hosts=compile_value(hosts_node), keywords=keywords, layers=layers,
        vars_files=tuple(compile_value(item) for item in as_list(node.get("vars_files"))),
        vars_prompt=read_prompts(node), pre_tasks=pre, roles=roles, tasks=tasks, post_tasks=post, handlers=handlers,
        role_refs=static_roles((*pre, *roles, *tasks, *post)), where=node.where, playbook=str(path),
        wheres=places(node),
    )  # fmt: skip


def places(node: MapNode) -> dict[str, Where]:
    """Where the values of the play's own keywords stand, and their entries."""
    found = {str(key.value): value.where for key, value in node.pairs}
    lists = [(str(key.value), value) for key, value in node.pairs if isinstance(value, ListNode) and key.value in _LISTED]
    return {**found, **{f"{name}[{number}]": item.where for name, value in lists for number, item in enumerate(value.items)}}


_LISTED = ("serial", "vars_files")


def check_sections(node: MapNode, compatible: bool) -> None:
    """Raises OpsError for a login named twice and, in Ansible's words for its drop-ins, for a list that is none."""
    for name in ("tasks", "pre_tasks", "post_tasks", "handlers", "roles") if compatible else ():
        value = node.get(name)
        if value is None or isinstance(value, ListNode) or getattr(value, "value", "") is None:
            continue
        given = plain(value)
        message = f"A malformed block was encountered while loading {name}: {given} should be a list or None but is {type(given).__name__}"
        if name == "roles":
            message = f"A malformed role declaration was encountered. {given} should be a list"
        raise OpsError("malformed-section", message, value.where, f"Write {name}: and a list below it.")
    if "user" in node and "remote_user" in node:
        raise OpsError("two-users", "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and should be removed",
                       node.where, "Keep remote_user.")  # fmt: skip


_SPECIAL = frozenset(
    {"name", "hosts", "vars", "vars_files", "vars_prompt", "roles", "tasks", "pre_tasks", "post_tasks", "handlers"}
)
_PASSED_DOWN = (words.INHERITED | words.CONDITIONAL) - {"name", "vars"}


def play_layers(node: MapNode, parent: Parent) -> tuple[VarLayer, ...]:
    variables = node.get("vars")
    if isinstance(variables, ListNode):  # the old list form, still read by Ansible
        own = tuple(layer_from_node("play vars", item) for item in variables.items)
    else:
        own = (layer_from_node("play vars", variables),)
    return (*own, *parent.layers)


def read_prompts(node: MapNode) -> tuple[Mapping[str, object], ...]:
    prompts = []
    for item in as_list(node.get("vars_prompt")):
        if not isinstance(item, MapNode) or "name" not in item:
            raise OpsError(
                "bad-vars-prompt",
                "Invalid vars_prompt data structure, missing 'name' key",
                item.where,
                "Write - name: VARIABLE",
            )
        known = frozenset(["name", "prompt", "default", "private", "confirm", "encrypt", "salt", "salt_size", "unsafe"])
        for key, _ in item.pairs:
            if str(key.value) not in known:
                raise OpsError(
                    "bad-vars-prompt",
                    f"Invalid vars_prompt data structure, found unsupported key '{key.value}'",
                    key.where,
                    f"Known: {', '.join(sorted(known))}",
                )
        prompts.append({str(key.value): compile_value(value) for key, value in item.pairs})
    return tuple(prompts)


def static_roles(entries: tuple[Entry, ...]) -> tuple[RoleRef, ...]:
    """Every role that the text names, in order: their defaults and vars are seen by the whole play."""
    found: list[RoleRef] = []
    for entry in entries:
        if isinstance(entry, Block):
            found += static_roles((*entry.block, *entry.rescue, *entry.always))
            if entry.role_start and (ref := block_role(entry)) is not None:
                found.append(ref)
    return tuple(found)
