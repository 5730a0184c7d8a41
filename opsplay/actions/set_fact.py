"""Set variables for the host, for the rest of the run."""

from __future__ import annotations

from typing import Any

from opsplay.actions.arguments import to_flag
from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Dictionary, Flag, Spec

SPEC = Spec(
    args={"cacheable": Flag(default=False, text="Keep it with the gathered facts.")},
    returns={"ansible_facts": Dictionary()},
    examples=["set_fact: {release: '{{ version }}-{{ build }}', cacheable: true}"],
    open_ended=True,
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    cacheable = to_flag(args.get("cacheable") or False, "cacheable")
    facts: dict[str, Any] = {}
    for name, value in args.items():
        if name == "cacheable":
            continue
        facts[variable_name(context.render(_template(name)))] = value
    if not facts:
        raise OpsError(
            "missing-argument", "No key/value pairs provided, at least one is required for this action to succeed"
        )
    context.set_facts(facts, cacheable)
    return {
        "changed": False,
        "ansible_facts": facts,
        "_ansible_facts_cacheable": cacheable,
        "_opsplay_facts_done": True,
    }


def variable_name(name: Any) -> str:
    """The name, if a variable can have it: Jinja reads its constants, whatever a variable of that name holds."""
    if not isinstance(name, str):
        raise bad_name(f"Invalid variable name {str(name)!r} of type {type(name).__name__!r}.")
    if not (name.isascii() and name.isidentifier()) or name.lower() in ("true", "false", "none"):
        raise bad_name(f"Invalid variable name {name!r}.")
    return name


def bad_name(message: str) -> OpsError:
    return OpsError(
        "bad-variable-name", message, remedy="Start with a letter or _, and use only letters, digits and _."
    )


def _template(name: str) -> object:
    from opsplay.templating.template import template_or_text

    return template_or_text(name)
