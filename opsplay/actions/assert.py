"""Fail unless every condition holds."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Flag, Raw, Spec, Text
from opsplay.templating.failures import Undefined

RAW_ARGUMENTS = ("that",)  # bare expressions: not to be templated before they are judged

SPEC = Spec(
    args={
        "that": Raw(required=True, text="Conditions, as in `when`."),
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
    return {"changed": False, "msg": "All assertions passed" if args.success_msg is None else args.success_msg}


def flattened(context: Context, that: list[Any]) -> list[Any]:
    """`that: "{{ checks }}"` may be a variable holding the list."""
    found: list[Any] = []
    for item in that:
        source = getattr(item, "source", None)
        if source is not None and source.strip().startswith("{{") and source.strip().endswith("}}"):
            value = context.render(item)
            found += value if isinstance(value, list) else [value]
        else:
            found.append(item)
    return found


def shown(condition: Any) -> Any:
    return getattr(condition, "source", condition)
