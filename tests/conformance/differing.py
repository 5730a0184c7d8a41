"""How the SPEC of a verb differs from what is documented of it, a line for each difference; what it takes beyond that is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opsplay.remote.spec import Argument, Spec
from opsplay.truth import FALSE, TRUE
from tests.conformance.documented import Document

KINDS = {"any": "raw", "jsonarg": "json"}
SUPPORT = ("none", "partial", "full")


def differences(document: Document, spec: Spec) -> Iterator[str]:
    for line in of_options(document.options, spec.args):
        yield f"{document.name}.{line}"
    for name in document.returns.keys() - spec.returns.keys():
        yield f"{document.name} returns {name}"
    if document.check_mode in SUPPORT and SUPPORT.index(spec.check) < SUPPORT.index(document.check_mode):
        yield f"{document.name} check mode"


def of_options(options: Mapping[str, Any], args: Mapping[str, Argument], above: str = "") -> Iterator[str]:
    aliases = {alias: argument for argument in args.values() for alias in argument.aliases}
    for name, option in options.items():
        own = args.get(name, aliases.get(name))
        if own is None:
            yield f"{above}{name} missing"
            continue
        for what in of_option(option, own):
            yield f"{above}{name} {what}"
        if inner := option.get("suboptions"):
            yield from of_options(inner, own.fields or getattr(own.elements, "fields", None) or {}, f"{above}{name}.")


def of_option(option: Mapping[str, Any], own: Argument) -> Iterator[str]:
    kind = option.get("type", "str")
    if own.kind != KINDS.get(kind, kind) and (kind, own.kind) != ("str", "path"):  # a path also expands ~
        yield f"type {own.kind}, not {kind}"
    elements = option.get("elements")
    if kind == own.kind == "list" and elements and getattr(own.elements, "kind", None) != KINDS.get(elements, elements):
        yield f"elements, not {elements}"
    if same(option.get("default"), kind) != same(own.default, kind):
        yield f"default {own.default!r}, not {option.get('default')!r}"
    if {same(choice, kind) for choice in option.get("choices") or ()} - {same(choice, kind) for choice in own.choices}:
        yield "choices"
    if not set(option.get("aliases") or ()) <= set(own.aliases):
        yield "aliases"
    if bool(own.required) != bool(option.get("required")):
        yield "required"


def same(value: Any, kind: str) -> Any:
    """Comparable: yes is true, an empty list is none, the order of a list is nothing."""
    if kind == "bool" and value is not None:
        return True if str(value).lower() in TRUE else False if str(value).lower() in FALSE else value
    if kind == "list" and isinstance(value, str):
        value = [value]
    if isinstance(value, (list, tuple)):
        return tuple(sorted(map(str, value))) or None
    return None if value in ("", {}) else str(value) if value is not None else None
