"""Gather facts about the host."""

import fnmatch

from opsplay.remote.spec import Integer, Listing, Path, Spec

SPEC = Spec(
    args={
        "gather_subset": Listing(default=["all"], text="Families of facts: all, min, hardware, network, virtual, or !one."),
        "gather_timeout": Integer(default=10, text="Seconds that one slow source (a mount, a .fact script) may take."),
        "filter": Listing(default=[], text="Shell patterns; only facts of such names are returned."),
        "fact_path": Path(default="/etc/ansible/facts.d", text="Folder of local facts (*.fact: JSON, INI or programs)."),
    },
    returns={"ansible_facts": "Dictionary of facts, see the reference of facts."},
    examples=["setup: {gather_subset: [min, network]}", "setup: {filter: ['ansible_distribution*']}"],
    facts=True,
)


def read(system, args):
    from opsplay.remote.facts import gather  # the controller reads only the SPEC
    facts = gather.collect(system, args.gather_subset or ["all"], float(args.gather_timeout or 10), args.fact_path)
    named = {"ansible_" + name: value for name, value in facts.items()}
    named.update(gather_subset=list(args.gather_subset or ["all"]), module_setup=True)
    return {"ansible_facts": _filtered(named, args.filter or [])}


def _filtered(facts, patterns):
    patterns = [pattern for pattern in patterns if pattern]
    if not patterns or "*" in patterns:
        return facts
    return {name: value for name, value in facts.items() if _matches(name, patterns)}


def _matches(name, patterns):
    bare = name[len("ansible_"):] if name.startswith("ansible_") else name
    return any(fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(bare, pattern) for pattern in patterns)
