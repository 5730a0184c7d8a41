"""Check a role's arguments against its argument specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsplay.actions.arguments import check_together, convert, default_of
from opsplay.actions.context import Context
from opsplay.errors import OpsError
from opsplay.remote.spec import Argument, Dictionary, Raw, Size, Spec
from opsplay.templating.scope import MISSING

SPEC = Spec(
    args={
        "argument_spec": Raw(required=True, text="The specification, as in meta/argument_specs.yml."),
        "provided_arguments": Dictionary(text="Arguments to check instead of the variables of these names."),
        "validate_args_context": Dictionary(),
    },
    returns={"argument_errors": Raw(), "argument_spec_data": Raw(), "validate_args_context": Dictionary()},
    examples=["validate_argument_spec: {argument_spec: {port: {type: int, required: true}}, provided_arguments: {port: 80}}"],
)
RAW_ARGUMENTS = ("provided_arguments",)


async def act(context: Context, args: Any) -> dict[str, Any]:
    options = args.argument_spec
    if not isinstance(options, Mapping):
        raise OpsError("bad-argument", f"Incorrect type for argument_spec, expected dict and got {type(options)}")
    values = {name: value for name, value in ((name, found(context, name, args)) for name in names(options)) if value is not MISSING}
    errors = problems(options, values)
    if errors:
        return {
            "failed": True, "changed": False, "argument_errors": errors, "argument_spec_data": options,
            "validate_args_context": args.validate_args_context or {}, "msg": "Validation of arguments failed:\n" + "\n".join(errors),
        }  # fmt: skip
    return {"changed": False, "msg": "The arg spec validation passed", "validate_args_context": args.validate_args_context or {}}


def names(options: Mapping[str, Any]) -> list[str]:
    return [alias for name, option in options.items() for alias in (name, *((option or {}).get("aliases") or ()))]


def found(context: Context, name: str, args: Any) -> Any:
    given = args.provided_arguments or {}
    raw = given.get(name, MISSING)
    if raw is MISSING:
        raw = context.scope.raw(name)
    return raw if raw is MISSING else context.render(raw)


def problems(options: Mapping[str, Any], values: Mapping[str, Any], above: str = "") -> list[str]:
    """Every way in which the values break the specification, in Ansible's documented wording."""
    errors: list[str] = []
    place = f" found in {above}" if above else ""
    spec = Spec(args={name: argument(option or {}) for name, option in options.items()})
    missing = [name for name, option in spec.args.items() if option.required and not any(alias in values for alias in (name, *option.aliases))]
    if missing:
        errors.append(f"missing required arguments: {', '.join(sorted(missing))}{place}")
    if above and (unknown := [f"{above.replace(' -> ', '.')}.{name}" for name in values if name not in names(options)]):
        errors.append(f"{', '.join(sorted(unknown))}. Supported parameters include: {', '.join(sorted(options))}.")
    for name, option in spec.args.items():
        given = [values[alias] for alias in (name, *option.aliases) if alias in values]
        if not given or (given[0] is None and (not option.required or option.kind == "raw")):
            continue
        value = given[0]
        errors += value_problems(name, value, option, options[name] or {}, above)
    errors += group_problems(spec, values)
    return errors


def value_problems(name: str, value: Any, option: Argument, written: Mapping[str, Any], above: str) -> list[str]:
    place = f"{above} -> {name}" if above else name
    try:
        typed = plainly_typed(value, option.kind, name)
    except ValueError as error:
        found_in = f" found in '{above}'." if above else ""
        return [f"argument '{name}' is of type {type(value).__name__}{found_in} and we were unable to convert to {option.kind}: {why(value, option.kind, error)}"]
    errors: list[str] = []
    if option.choices:
        for item in typed if isinstance(typed, list) else [typed]:
            if item not in option.choices:
                listed = ", ".join(str(choice) for choice in option.choices)
                kind = "one or more of" if isinstance(typed, list) else "one of"
                errors.append(f"value of {name} must be {kind}: {listed}, got: {item}{' found in ' + above if above else ''}")
                break
    if option.kind == "list" and option.elements is not None:
        for item in typed:
            errors += element_problems(name, item, option.elements, written, place)
    elif option.kind == "dict" and written.get("options"):
        errors += problems(written["options"], typed, place)
    return errors


def plainly_typed(value: Any, kind: str, name: str) -> Any:
    if value is None and kind != "raw":
        raise ValueError("nothing is given")
    if kind == "bits":
        return convert(value, Size(), name) if re.fullmatch(r"\s*\d+(\.\d+)?\s*[KMGTPEZY]?(b|bit)?\s*", str(value), re.I) else refuse(value)
    plain = Argument()
    plain.kind = kind
    return convert(value, plain, name)


def refuse(value: Any) -> Any:
    raise ValueError(f"{value!r} is no size in bits")


def why(value: Any, kind: str, error: ValueError) -> str:
    """The reason as Ansible words it."""
    if value is None:
        return '"None" cannot be converted to an int' if kind == "int" else f"{type(value)} cannot be converted to {article(kind)}"
    if kind == "bool":
        return f"The value {value!r} is not a valid boolean."
    if kind == "dict" and isinstance(value, str):
        return "dictionary requested, could not parse JSON or key=value"
    return f"{type(value)} cannot be converted to {article(kind)}"


def element_problems(name: str, item: Any, element: Argument, written: Mapping[str, Any], place: str) -> list[str]:
    try:
        typed = convert(item, element, name)
    except ValueError:
        return [f"Elements value for option '{name}' is of type {type(item)} and we were unable to convert to {element.kind}: {type(item)} cannot be converted to {article(element.kind)}"]
    return problems(written["options"], typed, place) if element.kind == "dict" and written.get("options") else []


def article(kind: str) -> str:
    return {"int": "an int", "bytes": "a Byte value", "bits": "a Bit value"}.get(kind, f"a {kind}")


def group_problems(spec: Spec, values: Mapping[str, Any]) -> list[str]:
    try:
        check_together("", Spec(args={name: Argument() for name in spec.args}), values, None)
    except OpsError as error:
        return [error.message]
    return []


def argument(option: Mapping[str, Any]) -> Argument:
    """An entry of the specification as an Argument."""
    kind = str(option.get("type", "str"))
    made = Argument(default=option.get("default"), required=bool(option.get("required")), aliases=option.get("aliases") or (), choices=option.get("choices") or ())
    made.kind = "json" if kind == "jsonarg" else kind if kind in KINDS else "str"
    if option.get("elements"):
        made.elements = Argument()
        made.elements.kind = str(option["elements"]) if option["elements"] in KINDS else "str"
    return made


KINDS = frozenset({"str", "list", "dict", "bool", "int", "float", "path", "raw", "json", "jsonarg", "bytes", "bits"})
__all__ = ["SPEC", "act", "default_of"]
