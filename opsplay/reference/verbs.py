"""Documents of modules and actions, made from their SPEC: as text, as data and as pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsplay.errors import Fault, OpsError, did_you_mean
from opsplay.model.catalog import Catalog, Verb, own_actions, own_modules
from opsplay.reference.collections import full_name
from opsplay.remote.spec import Argument, Spec

CHECK = {
    "full": "predicts exactly",
    "none": "is skipped in check mode",
    "partial": "predicts in part; see the notes",
}


def own_verbs() -> Iterator[Verb]:
    """Every module and action of ours, by name."""
    actions = own_actions()
    for name in sorted(actions | own_modules()):
        yield Verb(name, "action" if name in actions else "module")


def find_verb(catalog: Catalog, name: str) -> Verb:
    """The verb of that name. Raises OpsError with the nearest one."""
    verb = catalog.find(name)
    if verb is None:
        hint = did_you_mean(name.rpartition(".")[2], catalog.names())
        raise OpsError("unknown-module", f'no module is called "{name}"', None, f"{hint} List them with: opsplay doc --list".strip(),
                       fault=Fault.USAGE)  # fmt: skip
    return verb


def document(verb: Verb) -> dict[str, Any]:
    """Everything that is known about the verb, in the keys of Ansible's own documents."""
    if verb.kind == "statement":
        return {"doc": {"module": verb.name, "short_description": "A statement of the language.", "options": {}}, "examples": "", "return": {}}
    if verb.spec is None:
        from opsplay.reference.foreign_documents import foreign_document

        return foreign_document(verb)
    spec = verb.spec
    return {
        "doc": {
            "module": verb.name,
            "plugin_name": full_name(verb.name),
            "collection": full_name(verb.name).rpartition(".")[0],
            "short_description": verb.summary,
            "description": paragraphs(verb),
            "options": {name: option(argument) for name, argument in sorted(spec.args.items())},
            "notes": list(spec.notes),
            "has_action": verb.kind == "action",
            "attributes": {"check_mode": {"support": spec.check, "description": CHECK.get(spec.check, "")}},
        },
        "examples": "\n".join(f"- {text}" for text in spec.examples),
        "return": {name: returned(value) for name, value in spec.returns.items()},
        "metadata": None,
    }


def paragraphs(verb: Verb) -> list[str]:
    text = (verb.code.__doc__ or "").strip()
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def option(argument: Argument) -> dict[str, Any]:
    found: dict[str, Any] = {"type": argument.kind, "description": [argument.text] if argument.text else []}
    if argument.required:
        found["required"] = True
    if argument.default is not None:
        found["default"] = argument.default
    if argument.choices:
        found["choices"] = list(argument.choices)
    if argument.aliases:
        found["aliases"] = list(argument.aliases)
    if argument.elements is not None:
        found["elements"] = getattr(argument.elements, "kind", str(argument.elements))
    if argument.fields:
        found["suboptions"] = {name: option(inner) for name, inner in sorted(argument.fields.items())}
    return found


def rules(spec: Spec) -> list[str]:
    """What the arguments demand of each other, in words."""
    words = [f"give one of {', '.join(names)}" for names in spec.one_of]
    words += [f"give only one of {', '.join(names)}" for names in spec.exclusive]
    words += [f"give {' and '.join(names)} together" for names in spec.together]
    for rule in spec.required_if:
        joined = (" or " if len(rule) > 3 and rule[3] else " and ").join(rule[2])
        words.append(f"{rule[0]}={rule[1]} needs {joined}")
    words += [f"{name} needs {needed if isinstance(needed, str) else ', '.join(needed)}" for name, needed in spec.required_by.items()]
    return words


def returned(value: Argument | str) -> dict[str, str]:
    """What a SPEC says of a returned key; some say it in words alone."""
    return {"type": "raw", "description": value} if isinstance(value, str) else {"type": value.kind, "description": value.text}
