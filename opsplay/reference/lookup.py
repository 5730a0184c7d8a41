"""What `opsplay doc` and the drop-in for `ansible-doc` can show: names with summaries, and documents, by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opsplay.errors import Fault, OpsError, did_you_mean
from opsplay.model.catalog import Catalog
from opsplay.reference.collections import full_name
from opsplay.reference.verbs import document, find_verb, own_verbs, rules

KINDS = ("module", "filter", "test", "lookup")


def summaries(kind: str, catalog: Catalog) -> dict[str, str]:
    """Full name to summary of everything of the kind."""
    if kind != "module":
        from opsplay.templating.reference import functions_of, summary

        return {f"{collection}.{name}": summary(function) for collection, name, function in functions_of(f"{kind}s")}
    found = {full_name(verb.name): verb.summary for verb in own_verbs()}
    for folder in catalog.library:
        for path in sorted(Path(folder).glob("*")) if Path(folder).is_dir() else ():
            if path.is_file() and path.suffix in ("", ".py", ".sh") and path.stem[0] not in "._":
                found.setdefault(path.stem, str(document(find_verb(catalog, path.stem))["doc"].get("short_description", "")))
    return found


def documents(kind: str, names: tuple[str, ...], catalog: Catalog) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Full name to (document, demands of arguments on each other). Raises OpsError for a name that is not there."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for name in names:
        if kind == "module":
            verb = find_verb(catalog, name)
            shown = verb.name if verb.kind in ("foreign", "statement") else full_name(name)
            found[shown] = (document(verb), rules(verb.spec) if verb.spec is not None else [])
        else:
            shown, doc = function_document(kind, name)
            found[shown] = (doc, [])
    return found


def function_document(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    import inspect

    from opsplay.templating.reference import functions_of

    known = {f"{collection}.{short}": function for collection, short, function in functions_of(f"{kind}s")}
    full = next((item for item in known if name in (item, item.rpartition(".")[2])), None)
    if full is None:
        hint = did_you_mean(name.rpartition(".")[2], [item.rpartition(".")[2] for item in known])
        raise OpsError(f"unknown-{kind}", f'no {kind} is called "{name}"', None, f"{hint} List them with: opsplay doc -t {kind} --list".strip(),
                       fault=Fault.USAGE)  # fmt: skip
    text = inspect.getdoc(known[full]) or ""
    parts = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    doc = {"name": full, "plugin_name": full, "short_description": parts[0] if parts else "", "description": parts, "options": arguments(kind, known[full])}
    return full, {"doc": doc, "examples": "", "return": {}, "metadata": None}


def arguments(kind: str, function: Any) -> dict[str, Any]:
    import inspect

    if kind == "lookup":
        return {}
    parameters = list(inspect.signature(function).parameters.values())
    if getattr(function, "jinja_pass_arg", None) is not None:
        parameters = parameters[1:]
    options: dict[str, Any] = {}
    for parameter in parameters[1:]:
        entry: dict[str, Any] = {"type": "raw", "description": []}
        if parameter.default is not inspect.Parameter.empty:
            entry["default"] = parameter.default
        options[parameter.name] = entry
    return options
