"""Gather facts about the host, as a play does at its start: by setup, or by the modules that `facts_modules` names."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from opsplay.actions.arguments import to_flag
from opsplay.actions.context import Context
from opsplay.remote.spec import Dictionary, Flag, Integer, Listing, ModuleFailure, Path, Spec, Text
from opsplay.templating.filters.mappings import merge
from opsplay.templating.scope import MISSING

SPEC = Spec(
    args={
        "parallel": Flag(text="Run several fact modules at once; where not given, yes if there are several."),
        "gather_subset": Listing(elements=Text(), text="Passed to setup."),
        "gather_timeout": Integer(text="Passed to setup; seconds for another module, where they run at once."),
        "filter": Listing(elements=Text(), text="Passed to setup."),
        "fact_path": Path(text="Passed to setup."),
    },
    returns={"ansible_facts": Dictionary(), "skipped_modules": Dictionary(), "failed_modules": Dictionary()},
    examples=["gather_facts: {}", "gather_facts: {gather_subset: [min, network]}"],
    facts=True,
)
SETUP = ("setup", "ansible.builtin.setup", "ansible.legacy.setup")
LONGEST = 3600  # seconds
SUBSETS = ("gather_subset", "gather_timeout", "filter", "fact_path")
NETWORK_FACTS = {
    "asa": "cisco.asa", "eos": "arista.eos", "frr": "frr.frr", "ios": "cisco.ios", "iosxr": "cisco.iosxr",
    "junos": "junipernetworks.junos", "nxos": "cisco.nxos", "vyos": "vyos.vyos", "exos": "extreme.exos",
    "slxos": "extreme.slxos", "voss": "extreme.voss",
}  # fmt: skip


async def act(context: Context, args: Any) -> dict[str, Any]:
    names = modules(context)
    if args.parallel or (len(names) > 1 and at_once(context, args)):
        results = await asyncio.gather(*(within(context, name, args) for name in names))
    else:
        results = [await one(context, name, args) for name in names]
    return together(dict(zip(names, results, strict=True)))


def at_once(context: Context, args: Any) -> bool:
    said = variable(context, "ansible_facts_parallel")
    chosen = args.parallel if said is None else to_flag(said, "ansible_facts_parallel")
    return chosen is None or bool(chosen)


async def within(context: Context, name: str, args: Any) -> dict[str, Any]:
    """A module that knows no gather_timeout is given up when it is over; setup keeps to it itself."""
    seconds = LONGEST if name in SETUP else args.gather_timeout or LONGEST
    result = await one(context, name, args, seconds)
    if result.get("failed") and re.search("timed out waiting|did not complete within", str(result.get("msg"))):
        return {"failed": True, "msg": f"Timeout exceeded: {name} took longer than {seconds} s"}
    return result


async def one(context: Context, name: str, args: Any, seconds: float | None = None) -> dict[str, Any]:
    given = {key: args[key] for key in SUBSETS if args[key]}
    if name not in SETUP:
        for key in given.keys() - {"fact_path"}:
            if given.pop(key) not in ("all", ["all"]):
                context.notice("warning", f"{key} is for setup and is not passed to {name}")
        given.pop("fact_path", None)
    return await context.another(name, given, seconds)


def together(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One result: later modules win, dictionaries are merged, lists appended."""
    skipped = {name: result for name, result in results.items() if result.get("skipped") and not result.get("failed")}
    failed = {name: result for name, result in results.items() if result.get("failed")}
    whole: dict[str, Any] = {"changed": False, "ansible_facts": {}}
    for result in results.values():
        if result.get("failed") or result.get("skipped"):
            continue
        kept = {key: result[key] for key in ("ansible_facts", "warnings", "deprecations") if result.get(key)}
        whole = merge(whole, kept, True, "append_rp")
    if skipped:
        whole |= {"msg": f"The following modules were skipped: {', '.join(skipped)}.", "skipped_modules": skipped}
        whole |= {"skipped": True} if len(skipped) == len(results) else {}
    if failed:
        said = "; ".join(str(result.get("msg", "")) for result in failed.values())
        whole |= {"failed": True, "failed_modules": failed, "msg": f"The following modules failed to execute: {', '.join(failed)}. {said}"}
    return whole


# -- which modules ----------------------------------------------------------------------------------------------------


def modules(context: Context) -> list[str]:
    """`smart` is setup, unless the host says which network device it is. Raises ModuleFailure."""
    chosen = variable(context, "ansible_facts_modules") or list(context.settings.facts_modules)
    names = [str(name).strip() for name in (chosen.split(",") if isinstance(chosen, str) else chosen)]
    if "smart" not in names:
        return names
    names.remove("smart")
    return [*names, *smart(context, names)]


def smart(context: Context, others: list[str]) -> list[str]:
    system = network_os(context)
    if not system:
        return [] if set(others) & set(SETUP) else ["ansible.legacy.setup"]
    found = of_network(system)
    if not found and not others:
        raise ModuleFailure(f"No fact modules available and we could not find a fact module for your network OS ({system}), "
                            "try setting one via the `FACTS_MODULES` configuration.")  # fmt: skip
    if set(others) & set(SETUP):
        context.notice("warning", "Detected 'setup' module and a network OS is set: its facts are those of the controller")
    return found


def network_os(context: Context) -> str:
    return str(variable(context, "ansible_network_os") or context.fact("network_os") or "")


def variable(context: Context, name: str) -> Any:
    raw = context.scope.raw(name)
    return None if raw is MISSING else context.render(raw)


def of_network(system: str) -> list[str]:
    """`ios` is short for cisco.ios.ios."""
    collection, _, short = system.rpartition(".")
    known = NETWORK_FACTS.get(short)
    return [f"{known}.{short}_facts"] if known and collection in ("", known) else []
