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
        name = str(context.render(_template(name)))
        if not name.isidentifier():
            raise OpsError("bad-variable-name", f"The variable name '{name}' is not valid. Variables must start with a letter or underscore character, "
                           "and contain only letters, numbers and underscores.")  # fmt: skip
        facts[name] = value
    if not facts:
        raise OpsError("missing-argument", "No key/value pairs provided, at least one is required for this action to succeed")
    context.set_facts(facts, cacheable)
    return {"changed": False, "ansible_facts": facts, "_ansible_facts_cacheable": cacheable, "_opsplay_facts_done": True}


def _template(name: str) -> object:
    from opsplay.templating.template import template_or_text

    return template_or_text(name)
