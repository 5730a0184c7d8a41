"""Tasks: builds tasks and blocks from nodes, with every keyword of their parents in force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from opsplay.errors import OpsError, Where
from opsplay.model import keywords as words
from opsplay.model.building import Parent, Workshop, as_list, check_keys, only_list, text_of
from opsplay.model.catalog import Verb, installing, refuse_plugin
from opsplay.model.free_form import parse_pairs
from opsplay.model.keyword_values import keyword_values
from opsplay.model.play import Block, Entry, Loop, Task
from opsplay.source.nodes import MapNode, Node, ScalarNode
from opsplay.templating.layer import VarLayer, layer_from_node
from opsplay.templating.template import Template
from opsplay.templating.values import compile_plain, compile_value

FREE_FORM = frozenset({"command", "shell", "script", "raw", "win_command", "win_shell", "meta", "include_tasks", "import_tasks",
                       "include_vars", "import_playbook", "include", "add_host", "group_by", "set_fact"})  # fmt: skip
TAKES_TEXT = frozenset(
    {"command", "shell", "script", "raw", "meta", "include_tasks", "import_tasks", "include_vars", "include"}
)
KNOWN_PAIRS = {
    "command": "chdir creates removes warn executable stdin stdin_add_newline strip_empty_ends expand_argument_vars argv",
    "script": "chdir creates removes executable decrypt cmd",
    "raw": "executable",
    "include_vars": "file dir name depth files_matching ignore_files extensions ignore_unknown_extensions hash_behaviour",
    "include_tasks": "file apply",
}
KNOWN_PAIRS["shell"] = KNOWN_PAIRS["command"]


def build_entries(shop: Workshop, node: Node | None, parent: Parent) -> tuple[Entry, ...]:
    """Tasks and blocks of a list. Problems are gathered in the workshop; a bad entry is left out."""
    entries: list[Entry] = []
    for item in as_list(node):
        try:
            entries += build_entry(shop, item, parent)
        except OpsError as error:
            shop.problems.append(error)
    return tuple(entries)


def build_entry(shop: Workshop, node: Node, parent: Parent) -> list[Entry]:
    if not isinstance(node, MapNode):
        if isinstance(node, ScalarNode) and node.value is None:
            return []
        raise OpsError(
            "not-a-task",
            "a task is a mapping: a module's name and its arguments",
            node.where,
            "Write  - name: ...\n    MODULE: ...",
        )
    if "block" in node or "rescue" in node or "always" in node:
        return handlers_in(shop, node, parent) if parent.is_handler else [build_block(shop, node, parent)]
    return build_task(shop, node, parent)


def build_block(shop: Workshop, node: MapNode, parent: Parent) -> Block:
    check_keys(shop, node, words.BLOCK, "Block")
    if "block" not in node:
        raise OpsError(
            "no-block",
            "'rescue' and 'always' need a 'block' beside them",
            node.where,
            "Add block: with the tasks to guard.",
        )
    own = keyword_values(shop, node, words.BLOCK - {"block", "rescue", "always", "vars"})
    layer = shop.watch(layer_from_node("block vars", node.get("vars")))
    inner = parent.with_(
        keywords=words.inherit(parent.keywords, own), layers=(*parent.layers, layer) if layer else parent.layers
    )
    block, rescue, always = (
        build_entries(shop, only_list(node.get(part), part), inner) for part in ("block", "rescue", "always")
    )
    name = compile_value(node.get("name")) if "name" in node else None  # type: ignore[arg-type]
    return Block(shop.uid(), name, block, rescue, always, inner.keywords, node.where, parent.role)  # type: ignore[arg-type]


def handlers_in(shop: Workshop, node: MapNode, parent: Parent) -> list[Entry]:
    """A block at the top of a list of handlers only holds handlers: they are notified one by one, and nothing rescues them."""
    if parent.in_block:
        raise OpsError(
            "block-as-handler",
            "Using a block as a handler is not supported.",
            node.where,
            "Notify its tasks one by one, by a topic they listen to.",
        )
    return list(build_block(shop, node, parent.with_(in_block=True)).block)


def build_task(shop: Workshop, node: MapNode, parent: Parent) -> list[Entry]:
    own = keyword_values(shop, node, (words.TASK - words.TASK_ONLY - {"vars"}) | _KEPT)
    named = parent.with_(keywords=words.inherit(parent.keywords, {"collections": own["collections"]})) if "collections" in own else parent
    written, value = find_action(shop, node, named)
    verb, args, wheres, delegated = read_action(shop, node, written, value, named)
    if delegated and "delegate_to" not in own:
        own["delegate_to"] = "localhost"
    layer = shop.watch(layer_from_node("task vars", node.get("vars")))
    task = Task(
        uid=shop.uid(),
        name=compile_value(node.get("name")) if "name" in node else None,  # type: ignore[arg-type]
        verb=verb,
        written=written,
        args=args,
        where=node.where,
        keywords=words.inherit(parent.keywords, own),
        own=own,
        inherited=parent.keywords,
        layers=(*parent.layers, layer) if layer else parent.layers,
        inherited_layers=parent.layers,
        role=parent.role,
        loop=find_loop(shop, node),
        register=find_register(shop, node),
        is_handler=parent.is_handler,
        listen=tuple(compile_value(item) for item in as_list(node.get("listen"))),
        args_where=wheres,
    )
    from opsplay.model.imports import expand_import

    if parent.is_handler and verb == "meta" and (told := NO_HANDLERS.get(str(args.get("_raw_params")))):
        raise OpsError("meta-as-handler", told, node.where, "Put it among the tasks.")
    if parent.is_handler and verb in ("include_role", "import_role"):
        raise OpsError(
            "role-as-handler",
            f"Using '{verb}' as a handler is not supported.",
            node.where,
            "Put the role's tasks in a file and include that.",
        )

    return expand_import(shop, task, parent)


NO_HANDLERS = {
    "flush_handlers": "flush_handlers cannot be used as a handler",
    "end_role": "Cannot execute 'end_role' from a handler",
}
_KEPT = frozenset({"async", "poll", "changed_when", "failed_when", "delay", "retries", "until", "notify"})


def find_action(shop: Workshop, node: MapNode, parent: Parent) -> tuple[str, Node]:
    """The one key that names an action, and its value. Raises OpsError for none, several or an unknown one."""
    candidates = [
        (key, value)
        for key, value in node.pairs
        if str(key.value) not in words.TASK and not str(key.value).startswith("with_")
    ]
    for keyword in ("action", "local_action"):
        if keyword in node:
            return keyword, node.get(keyword)  # type: ignore[return-value]
    known = [(key, value) for key, value in candidates if find_verb(shop, str(key.value), parent)]
    if len(known) > 1:
        names = ", ".join(str(key.value) for key, _ in known)
        raise OpsError("two-actions", f"conflicting action statements: {names}", known[1][0].where, "Give each action a task of its own.",
                       width=len(str(known[1][0].value)))  # fmt: skip
    if known and len(candidates) > 1:
        extra = next(key for key, _ in candidates if key is not known[0][0])
        raise unknown_word(shop, str(extra.value), extra.where, "keyword")
    if known:
        return str(known[0][0].value), known[0][1]
    if candidates:
        may_be_absent(shop, node, candidates[0][0], parent)
        return str(candidates[0][0].value), candidates[0][1]
    raise OpsError(
        "no-action",
        "no module/action detected in task",
        node.where,
        "Add the module that does the work, e.g. command: uptime",
    )


def may_be_absent(shop: Workshop, node: MapNode, key: ScalarNode, parent: Parent) -> None:
    """A module that a well-known collection has and this does not is an error where its task would run, not before:
    roles name such modules for other systems than the one at hand. Raises OpsError for any other unknown name."""
    name = str(key.value)
    collection = shop.catalog.absent_from(name)
    if not collection or not may_not_run(node, parent):
        raise unknown_word(shop, name, key.where, "module", collection)
    shop.notices.append(
        f"{key.where}: {name} is a module of {collection}, which is not installed; the task fails where it would run"
    )


def may_not_run(node: MapNode, parent: Parent) -> bool:
    """Whether a condition, a loop, a tag or nobody's notice may keep the task from running."""
    mine = any(
        str(key.value) in ("when", "loop", "tags") or str(key.value).startswith("with_") for key, _ in node.pairs
    )
    return mine or parent.is_handler or bool(parent.keywords.get("when") or parent.keywords.get("tags"))


def unknown_word(shop: Workshop, name: str, where: Where | None, kind: str, collection: str = "") -> OpsError:
    from opsplay.errors import did_you_mean

    known = shop.catalog.names() | (words.TASK if "." not in name else set())
    hint = installing(collection) if collection else did_you_mean(name.rpartition(".")[2], known)
    listing = "" if collection else "List them with: opsplay doc --list"
    message = f'no module is called "{name}"' if kind == "module" else f'"{name}" is no keyword of a task'
    return OpsError(f"unknown-{kind}", f"{message} (couldn't resolve module/action '{name}')" if kind == "module" else message, where,
                    f"{hint} {listing}".strip(), width=len(name))  # fmt: skip


def find_verb(shop: Workshop, name: str, parent: Parent) -> Verb | None:
    collections = parent.keywords.get("collections", ())
    library = (str(Path(parent.role.path) / "library"),) if parent.role else ()
    return shop.catalog.find(name, tuple(collections) if isinstance(collections, (list, tuple)) else (), library)


def read_action(
    shop: Workshop, node: MapNode, written: str, value: Node, parent: Parent
) -> tuple[str, dict[str, object], dict[str, Where], bool]:
    """Canonical verb, compiled arguments, their places, and whether it was a local_action."""
    local = written == "local_action"
    if written in ("action", "local_action"):
        written, value = open_action(value)
        if "{{" not in written and not find_verb(shop, written, parent):
            raise unknown_word(shop, written, value.where, "module")
    verb = find_verb(shop, written, parent)
    if verb is not None:
        refuse_plugin(verb, node.where)
    name = verb.name if verb and verb.kind != "foreign" else written
    args, wheres = read_arguments(name, value)
    if "args" in node and (extra := node.get("args")) is not None:
        more, more_wheres = read_arguments(name, extra, takes_text=False)
        args, wheres = {**more, **args}, {**more_wheres, **wheres}
    return name if verb is None else verb.name if verb.kind != "foreign" else written, args, wheres, local


FIRST_WORD = re.compile(r"(?:\{\{.*?\}\}|\{%.*?%\}|\S)+", re.DOTALL)  # blanks in a template do not end it


def open_action(value: Node) -> tuple[str, Node]:
    """`action: copy src=a dest=b` or `action: {module: copy, ...}` as a module's name and its arguments."""
    if isinstance(value, MapNode):
        name = text_of(value.get("module"))
        if not name:
            raise OpsError("no-action", "'action' needs a module", value.where, "Write action: {module: NAME, ...}")
        rest = [pair for pair in value.pairs if pair[0].value not in ("module", "args")]
        nested = value.get("args")
        if isinstance(nested, MapNode):
            rest += nested.pairs
        return name, MapNode(tuple(rest), value.where)
    text = text_of(value) or ""
    text = text.strip().removeprefix("module=")
    named = FIRST_WORD.match(text)
    end = named.end() if named else 0
    return text[:end], ScalarNode(text[end:].strip(), value.where)


def read_arguments(verb: str, value: Node, takes_text: bool = True) -> tuple[dict[str, object], dict[str, Where]]:
    if isinstance(value, MapNode):
        return (
            {str(key.value): compile_value(item) for key, item in value.pairs},
            {str(key.value): key.where for key, _ in value.pairs},
        )
    if isinstance(value, ScalarNode):
        if value.value is None:
            return {}, {}
        if isinstance(value.value, str):
            return text_arguments(verb, value.value, value.where, takes_text and verb.rpartition(".")[2] in TAKES_TEXT), {}
        return {"_raw_params": compile_value(value)}, {}
    return {"_raw_params": compile_value(value)}, {}


def text_arguments(verb: str, text: str, where: Where, takes_text: bool) -> dict[str, object]:
    """`key=value` words, a free text before them where the module `takes_text`, or one template that gives them all."""
    stripped = text.strip()
    if stripped.startswith("{{") and stripped.endswith("}}") and stripped.count("{{") == 1 and not takes_text:
        return {"_variable_params": compile_plain(stripped, where)}
    known = frozenset(KNOWN_PAIRS.get(verb.rpartition(".")[2], "").split())
    pairs: Mapping[str, str] = parse_pairs(text, where, free_form=takes_text, known=known)
    return {key: compile_plain(item, where) for key, item in pairs.items()}


def find_loop(shop: Workshop, node: MapNode) -> Loop | None:
    loops = [(key, value) for key, value in node.pairs if key.value == "loop" or str(key.value).startswith("with_")]
    if len(loops) > 1:
        raise OpsError(
            "two-loops",
            "a task has one loop",
            loops[1][0].where,
            "Keep one of them; nest data with the product or subelements filters.",
        )
    control_node = node.get("loop_control")
    if control_node is not None and not isinstance(control_node, MapNode):
        raise OpsError(
            "bad-loop-control", "loop_control is a mapping", control_node.where, "Write loop_control: {loop_var: name}"
        )
    control = (
        {str(key.value): _control(str(key.value), value) for key, value in control_node.pairs} if control_node else {}
    )
    if control_node:
        check_keys(shop, control_node, LOOP_CONTROL, "LoopControl")
        check_parallel(control_node, control)
    if not loops:
        return None
    key, value = loops[0]
    kind = str(key.value).removeprefix("with_")
    return Loop(kind, compile_value(value), control, key.where)


def check_parallel(node: MapNode, control: Mapping[str, object]) -> None:
    """Raises OpsError for a `parallel` that is no number of items, or that contradicts its neighbours."""
    given = control.get("parallel")
    if given is None:
        return
    where = next(value.where for key, value in node.pairs if key.value == "parallel")
    if not isinstance(given, Template) and (isinstance(given, bool) or not str(given).strip().isdigit() or int(str(given)) < 1):
        raise OpsError("bad-parallel", f"loop_control.parallel is how many items run at a time, from 1, not {given!r}", where, "Write parallel: 4.")
    for other in ("pause", "break_when"):
        if control.get(other) and given != 1:
            raise OpsError("bad-parallel", f"loop_control.parallel and {other} exclude each other: {other} looks at one item after the other", where,
                           "Keep one of them.")  # fmt: skip


LOOP_CONTROL = frozenset(
    ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when", "parallel"]
)


def _control(name: str, value: Node) -> object:
    if name == "break_when":
        return tuple((compile_condition(item), item.where) for item in as_list(value))
    return compile_value(value)


def compile_condition(node: Node) -> object:
    """Conditions are bare expressions: their text stays text."""
    return node.value if isinstance(node, ScalarNode) else compile_value(node)


def find_register(shop: Workshop, node: MapNode) -> str | None:
    name = node.get("register")
    if name is None:
        return None
    text = text_of(name) or ""
    if not text.isidentifier():
        raise OpsError("bad-variable-name", f"Invalid variable name in 'register' specified: '{text}'", name.where,
                       "Use letters, digits and underscores, not starting with a digit.")  # fmt: skip
    return text


__all__ = ["Parent", "VarLayer", "build_block", "build_entries", "build_entry", "build_task"]
