"""Fail unless every condition holds."""

from __future__ import annotations

import re
from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Flag, Raw, Spec, Text
from opsplay.source.yaml_reader import is_written
from opsplay.templating.conditions import is_enclosed, is_reference
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.scope import MISSING
from opsplay.templating.values import Unsafe, is_dynamic

LONE_NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")
ENCLOSED = {"msg": "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.", "version": "2.23"}
RAW_ARGUMENTS = ("that",)  # bare expressions: not to be templated before they are judged

SPEC = Spec(
    args={
        "that": Raw(required=True, nullable=True, text="Conditions, as in `when`."),
        "fail_msg": Raw(aliases=("msg",), text="Message when one does not hold."),
        "success_msg": Raw(text="Message when all hold."),
        "quiet": Flag(default=False, text="Say only the message."),
    },
    returns={"assertion": Text(), "evaluated_to": Flag(), "msg": Text()},
    examples=["assert: {that: ['1 < 2'], fail_msg: 'arithmetic is broken'}"],
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    fail_msg = "Assertion failed" if args.fail_msg is None else args.fail_msg
    that = args.that if isinstance(args.that, list) else [args.that]
    for condition in flattened(context, that):
        try:
            holds = context.condition(condition)
        except Undefined as error:
            raise OpsError("assertion-undefined", f"The conditional check '{shown(condition)}' failed. The error was: {error.message}", error.where) from None
        if not holds:
            result = {"failed": True, "changed": False, "evaluated_to": False, "assertion": shown(condition), "msg": fail_msg}
            return {key: value for key, value in result.items() if not (args.quiet and key in ("evaluated_to", "assertion"))} | {
                "evaluated_to": False, "assertion": shown(condition),
            }  # fmt: skip
    result = {"changed": False, "msg": "All assertions passed" if args.success_msg is None else args.success_msg}
    return result | ({"deprecations": [ENCLOSED]} if any(is_enclosed(shown(item)) for item in that if isinstance(shown(item), str)) else {})


def flattened(context: Context, that: list[Any]) -> list[Any]:
    """`that: "{{ checks }}"` may be a variable holding the list."""
    found: list[Any] = []
    for item in that:
        if item is None:
            raise TemplateFailed("Empty conditional expressions are not allowed.")
        source = getattr(item, "source", None)
        if source is not None and source.strip().startswith("{{") and source.strip().endswith("}}"):
            value = context.render(item)
            untrusted = unsafe_items(context, item)
            for index, one in enumerate(value if isinstance(value, list) else [value]):
                found.append(untrusted[index] if index in untrusted else trusted(context, item, one))
        elif isinstance(item, str) and made_arguments(context) and not is_written(item):
            raise untrusted_text(item)
        else:
            found.append(item)
    return found


def made_arguments(context: Context) -> bool:
    """Whether all arguments come from a variable: `assert: "{{ item }}"`."""
    task = getattr(context, "task", None)
    return task is not None and "_variable_params" in task.args


def unsafe_items(context: Context, item: Any) -> dict[int, Unsafe]:
    """The items of the variable that `{{ }}` names that are marked `!unsafe`, by their place."""
    lone = LONE_NAME.fullmatch(item.source.strip())
    raw = context.scope.raw(lone[1]) if lone else None
    return {index: one for index, one in enumerate(raw) if isinstance(one, Unsafe)} if isinstance(raw, list) else {}


def trusted(context: Context, item: Any, value: Any) -> Any:
    """A text is a condition only where a variable that an author wrote holds it, never one that was made or came from a host."""
    if not isinstance(value, str):
        return value
    lone = LONE_NAME.fullmatch(item.source.strip())
    if (lone and written_by_author(context, lone[1])) or (is_reference(item) and is_written(value)):
        return value
    raise untrusted_text(value)


def untrusted_text(value: str) -> TemplateFailed:
    return TemplateFailed(f"Encountered untrusted template or expression: {value[:200]!r}", remedy="Write the condition itself.")


def written_by_author(context: Context, name: str) -> bool:
    """Whether the variable comes from a playbook, role or inventory: not registered, no fact, no item of such."""
    if context.scope.raw(name) is MISSING:
        return False
    memory = context.run.store.memory(context.host)  # type: ignore[attr-defined]
    if name in memory.set_facts or name in memory.facts or name.removeprefix("ansible_") in memory.facts:
        return False
    loop = context.task.loop  # type: ignore[attr-defined]
    return loop is None or name != str(loop.control.get("loop_var") or "item") or not is_dynamic(loop.value)


def shown(condition: Any) -> Any:
    return getattr(condition, "source", condition)
