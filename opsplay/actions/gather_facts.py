"""Gather facts about the host, as a play does at its start."""

from __future__ import annotations

from typing import Any

from opsplay.actions.context import Context
from opsplay.remote.spec import Dictionary, Flag, Integer, Listing, Path, Spec, Text

SPEC = Spec(
    args={
        "parallel": Flag(text="Kept for Ansible's sake: all facts come from one call."),
        "gather_subset": Listing(default=("all",), elements=Text()),
        "gather_timeout": Integer(default=10),
        "filter": Listing(default=(), elements=Text()),
        "fact_path": Path(),
    },
    returns={"ansible_facts": Dictionary()},
    examples=["gather_facts: {}"],
    facts=True,
)


async def act(context: Context, args: Any) -> dict[str, Any]:
    results = [await one(context, name, args) for name in modules(context)]
    facts: dict[str, Any] = {}
    for result in results:
        if result.get("failed"):
            return {**result, "msg": f"The following modules failed to execute: {result.get('msg')}"}
        facts.update(result.get("ansible_facts") or {})
    warnings = [text for result in results for text in result.get("warnings") or ()]
    return {"changed": False, "ansible_facts": facts, **({"warnings": warnings} if warnings else {})}


def modules(context: Context) -> list[str]:
    chosen = context.scope.raw("ansible_facts_modules")
    names = chosen if isinstance(chosen, list) else list(context.settings.facts_modules)
    short = [str(name).rpartition(".")[2] for name in names]
    return ["setup" if name == "smart" else name for name in short]


async def one(context: Context, name: str, args: Any) -> dict[str, Any]:
    if name != "setup":
        return await context.module(name, {}, check=False)
    given = {key: args[key] for key in ("gather_subset", "gather_timeout", "filter", "fact_path") if args[key]}
    return await context.module("setup", given, check=False)
