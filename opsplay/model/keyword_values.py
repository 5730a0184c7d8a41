"""Keyword values: reads the keywords of a play, block or task from its node, each in the form the engine wants."""

from __future__ import annotations

from opsplay.errors import OpsError
from opsplay.model.building import Workshop, as_list
from opsplay.source.nodes import ListNode, MapNode, Node, ScalarNode
from opsplay.templating.template import Template
from opsplay.templating.values import compile_value
from opsplay.truth import truth

CONDITIONS = frozenset({"when", "changed_when", "failed_when", "until"})
FLAGS = frozenset(
    [
        "any_errors_fatal",
        "become",
        "check_mode",
        "delegate_facts",
        "diff",
        "ignore_errors",
        "ignore_unreachable",
        "no_log",
        "run_once",
        "gather_facts",
        "force_handlers",
    ]
)
NUMBERS = frozenset(
    ["throttle", "timeout", "async", "poll", "retries", "delay", "port", "max_fail_percentage", "gather_timeout"]
)


def keyword_values(shop: Workshop, node: MapNode, known: frozenset[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in node.pairs:
        name = str(key.value)
        if name in known and name not in ("name", "vars"):
            values[name] = read_keyword(shop, name, value)
    return values


def read_keyword(shop: Workshop, name: str, node: Node) -> object:
    """Conditions as (expression, place) pairs; tags and notify as tuples; flags and numbers typed where they are plain."""
    if name in CONDITIONS:
        return conditions(node)
    if name == "tags":
        return tags(node)
    if name in ("notify", "environment", "module_defaults", "collections"):
        return tuple(compile_value(item) for item in as_list(node))
    value = compile_value(node)
    if name in FLAGS and not isinstance(value, Template):
        late = shop is not None and shop.settings.compatible  # Ansible says it when the task runs
        return flag(name, value, node) if is_flag(value) or not late else value
    if name in NUMBERS and not isinstance(value, (Template, type(None))):
        return number(name, value, node)
    return value


def conditions(node: Node) -> tuple[tuple[object, object], ...]:
    return tuple(
        (item.value if isinstance(item, ScalarNode) else compile_value(item), item.where) for item in as_list(node)
    )


def tags(node: Node) -> tuple[object, ...]:
    found: list[object] = []
    for item in as_list(node):
        value = compile_value(item)
        if isinstance(value, str):
            found += [part.strip() for part in value.split(",") if part.strip()]
        elif isinstance(item, (ListNode, MapNode)):
            raise OpsError("bad-tags", "tags are words", item.where, "Write tags: [one, two]")
        elif value is not None:
            found.append(value if isinstance(value, Template) else str(value))
    return tuple(found)


def is_flag(value: object) -> bool:
    return value is None or truth(value) is not None


def flag(name: str, value: object, node: Node) -> object:
    if is_flag(value):
        return None if value is None else truth(value)
    raise OpsError(
        "bad-keyword-value", f"the field '{name}' has an invalid value ({value}), and could not be converted to bool", node.where,
        f"Write {name}: true or {name}: false.",
    )  # fmt: skip


def number(name: str, value: object, node: Node) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        text = str(value).strip().removesuffix("%")
        return float(text) if "." in text else int(text)
    except ValueError:
        raise OpsError(
            "bad-keyword-value", f"the field '{name}' has an invalid value ({value}), and could not be converted to int", node.where,
            f"Write {name}: NUMBER.",
        ) from None  # fmt: skip
