"""Single task: a play made of one module and its arguments, as `opsplay exec` and `ansible` run it."""

from __future__ import annotations

from collections.abc import Mapping

from opsplay.errors import Fault, OpsError, OpsErrors, Where
from opsplay.model.building import Parent, Workshop
from opsplay.model.play import Playbook
from opsplay.model.playbooks import read_play
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode
from opsplay.source.yaml_reader import parse_yaml

HERE = Where("command line")
NEEDS_TEXT = frozenset({"command", "shell", "raw", "script", "win_command", "win_shell"})
NEVER = frozenset({"import_playbook", "include"})  # what only a playbook can hold


def single_task_book(
    shop: Workshop, pattern: str, module: str, arguments: str, keywords: Mapping[str, object], name: str = "exec"
) -> Playbook:
    """The playbook, or OpsError(s) with what is wrong. `keywords` are those of the task (async, poll, check_mode)."""
    short = module.rpartition(".")[2]
    if short in NEVER:
        raise OpsError("bad-option-module", f"'{module}' is not a valid action for ad-hoc commands", fault=Fault.USAGE,
                       remedy="Write a playbook, and run it with: opsplay run")  # fmt: skip
    if short in NEEDS_TEXT and not arguments.strip():
        raise OpsError("bad-option-args", f"No argument passed to {module} module", fault=Fault.USAGE,
                       remedy=f"Give the command: -m {module} -a 'uptime'")  # fmt: skip
    task = mapping({**action(module, arguments), **{key: scalar(value) for key, value in keywords.items()}})
    node = mapping({
        "name": scalar(name), "hosts": scalar(pattern), "gather_facts": scalar(False), "tasks": ListNode((task,), HERE),
    })  # fmt: skip
    play = read_play(shop, node, shop.playbook_dir / "command line", Parent())
    if shop.problems:
        raise OpsErrors(shop.problems) if len(shop.problems) > 1 else shop.problems[0]
    return Playbook(name, (play,))


def action(module: str, arguments: str) -> dict[str, Node]:
    """`-a` is key=value text, or a mapping as JSON or YAML in braces."""
    if arguments.lstrip().startswith("{") and not arguments.lstrip().startswith(("{{", "{%")):
        given = parse_yaml(arguments, "-a")
        pairs = given.pairs if isinstance(given, MapNode) else ()
        return {"action": MapNode(((ScalarNode("module", HERE), scalar(module)), *pairs), HERE)}
    return {"action": scalar(f"{module} {arguments}".strip())}


def scalar(value: object) -> ScalarNode:
    return ScalarNode(value, HERE)


def mapping(values: Mapping[str, Node]) -> MapNode:
    return MapNode(tuple((scalar(key), value) for key, value in values.items()), HERE)
