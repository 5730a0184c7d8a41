"""Print a message or a variable while a play runs."""

from __future__ import annotations

import re
from typing import Any

from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Integer, Raw, Spec, Text
from opsplay.templating.conditions import is_reference
from opsplay.templating.failures import TemplateFailed, Undefined
from opsplay.templating.omit import OMIT
from opsplay.templating.values import Unsafe, is_dynamic

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


RAW_ARGUMENTS = ("var",)  # an expression of the author; what a host or a lookup gave is never evaluated
NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)


async def act(context: Context, args: Any) -> dict[str, Any]:
    if args.verbosity > context.settings.verbosity:
        return {"skipped": True, "skipped_reason": "Verbosity threshold not met.", "changed": False}
    if args.var is None:
        return {"msg": args.msg, "changed": False}
    var = context.render(args.var)
    if var is OMIT:
        return {"msg": args.msg, "changed": False}
    return {**evaluate(context, args.var, var), "changed": False}


def names(written: Any, var: str) -> bool:
    """Whether the author's template refers to a value that is no more than a name."""
    return NAME.fullmatch(var) is not None and is_reference(written)


def evaluate(context: Context, written: Any, var: Any) -> dict[str, Any]:
    """`written` is the author's; `var` what it renders to. Raises OpsError where it is no expression of the author."""
    if not isinstance(var, str):
        if is_dynamic(written) and not isinstance(written, (list, dict)):
            return {str(type(var)) if isinstance(var, (list, dict)) else str(var): var}
        if isinstance(var, (list, dict)):
            raise OpsError("bad-argument", f"argument 'var' is of type {type(var).__name__} and is not a string and conversion is not allowed")
        return {str(var): var}
    if isinstance(written, Unsafe) or (written is not var and is_dynamic(written) and not names(written, var)):
        raise TemplateFailed(f"Encountered untrusted template or expression: {var[:200]!r}", remedy="Write the expression itself, without {{ }} around it.")
    try:
        value = context.templar.evaluate(var, context.scope)
        if value is OMIT:
            message = f"The value of {var!r} could not be omitted"
            return {var: "<<Omit>>", "warnings": [message]}
        return {var: value}
    except Undefined as error:
        return {var: f"<< error 1 - {error.message} >>", "warnings": [f"Encountered an undefined value while showing {var!r}: {error.message}"]}
