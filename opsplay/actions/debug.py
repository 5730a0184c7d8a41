"""Print a message or a variable while a play runs."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Integer, Raw, Spec, Text
from opsplay.templating.failures import Undefined

SPEC = Spec(
    args={
        "msg": Raw(default="Hello world!", text="What to print."),
        "var": Raw(text="A variable or expression to print; not templated twice."),
        "verbosity": Integer(default=0, text="Print only at this -v level and above."),
    },
    returns={"msg": Text()},
    examples=["debug: {msg: 'Uptime {{ ansible_uptime_seconds }} s'}", "debug: {var: ansible_facts.mounts}"],
    exclusive=(("msg", "var"),),
    free_form="msg",
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    if args.verbosity > context.settings.verbosity:
        return {"skipped": True, "skipped_reason": "Verbosity threshold not met.", "changed": False}
    if args.var is None:
        return {"msg": args.msg, "changed": False}
    return {**evaluate(context, args.var), "changed": False}


def evaluate(context: Context, var: Any) -> dict[str, Any]:
    if isinstance(var, (list, dict)):
        return {str(type(var)): var}
    if not isinstance(var, str):
        return {str(var): var}
    try:
        return {var: context.templar.evaluate(var, context.scope)}
    except Undefined:
        return {var: "VARIABLE IS NOT DEFINED!"}
    except OpsError as error:
        return {var: f"ERROR: {error.message}"}
