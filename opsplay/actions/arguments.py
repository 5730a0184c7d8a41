"""Arguments: what a task gives, checked against a Spec and brought to its types, before any host is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from opsplay.errors import OpsError, Where, did_you_mean
from opsplay.remote.spec import Args, Argument, Flag, Spec
from opsplay.templating.values import is_dynamic
from opsplay.truth import FALSE, TRUE, truth

UNITS = {"": 1, "B": 1, **{unit: 1024**power for power, unit in enumerate("KMGTPEZY", start=1)}}


def check_names(
    verb: str, spec: Spec, given: Mapping[str, object], wheres: Mapping[str, Where], where: Where
) -> list[OpsError]:
    """What can be told from the text alone: unknown and missing names, values of the wrong kind."""
    problems: list[OpsError] = []
    known = names_of(spec)
    for name in given:
        if name not in known and name != "_raw_params" and not spec.open_ended:
            problems.append(unknown_argument(verb, spec, name, wheres.get(name, where)))
    missing = [name for name in required(spec) if not any(alias in given for alias in (name, *spec.args[name].aliases))]
    if missing and "_raw_params" not in given:
        problems.append(missing_arguments(verb, missing, where))
    for name, value in given.items():
        if name in known and not is_dynamic(value):
            try:
                convert(value, spec.args[known[name]], name)
            except ValueError as error:
                problems.append(
                    OpsError("bad-argument", f"{verb}: {error}", wheres.get(name, where), f"See: opsplay doc {verb}")
                )
    return problems


def typed_arguments(verb: str, spec: Spec, given: Mapping[str, object], where: Where | None = None) -> Args:
    """The rendered arguments with aliases resolved, defaults filled and types as the Spec says. Raises OpsError."""
    known = names_of(spec)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            if spec.open_ended:
                values[name] = value
                continue
            raise unsupported_parameters(verb, spec, given, where)
        if value is None and name in known:
            values.setdefault(known[name], None)
            continue
        try:
            values[known[name]] = convert(value, spec.args[known[name]], name)
        except ValueError as error:
            raise OpsError("bad-argument", str(error), where, f"See: opsplay doc {verb}") from None
    check_together(verb, spec, values, where)
    return Args(with_defaults(spec, values))


def default_of(argument: Argument) -> Any:
    default = argument.default
    return (
        list(default) if isinstance(default, (list, tuple)) else dict(default) if isinstance(default, dict) else default
    )


def with_defaults(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    plain, collections = defaults_of(spec)
    filled = dict(plain)
    for name, value in values.items():
        if value is not None or name not in spec.args or spec.args[name].nullable:
            filled[name] = value
    for name, default in collections.items():
        if values.get(name) is None:
            filled[name] = default.copy()
    return filled


def defaults_of(spec: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    """All defaults, and again those of them that a module could change: each task gets its own."""
    found: tuple[dict[str, Any], dict[str, Any]] | None = getattr(spec, "known_defaults", None)
    if found is None:
        plain = {name: argument.default for name, argument in spec.args.items()}
        collections = {
            name: default_of(spec.args[name]) for name, value in plain.items() if isinstance(value, (list, tuple, dict))
        }
        found = plain, collections
        setattr(spec, "known_defaults", found)  # noqa: B010 - a cache, not part of what travels
    return found


def names_of(spec: Spec) -> dict[str, str]:
    """Every name and alias, to the name."""
    known: dict[str, str] | None = getattr(spec, "known_names", None)
    if known is None:
        known = {alias: name for name, argument in spec.args.items() for alias in (name, *argument.aliases)}
        setattr(spec, "known_names", known)  # noqa: B010 - a cache, not part of what travels
    return known


def required(spec: Spec) -> list[str]:
    names: list[str] | None = getattr(spec, "known_required", None)
    if names is None:
        names = [name for name, argument in spec.args.items() if argument.required]
        setattr(spec, "known_required", names)  # noqa: B010 - a cache, not part of what travels
    return names


def unknown_argument(verb: str, spec: Spec, name: str, where: Where | None) -> OpsError:
    hint = did_you_mean(str(name), set(names_of(spec)))
    remedy = f"{hint} " if hint else ""
    return OpsError(
        "unknown-argument",
        f'{verb} has no argument "{name}"',
        where,
        f"{remedy}See: opsplay doc {verb}",
        width=len(str(name)),
    )


def unsupported_parameters(verb: str, spec: Spec, given: Mapping[str, object], where: Where | None) -> OpsError:
    """The same while a task runs, in Ansible's words: a rescue section or a script may look for them."""
    unknown = sorted(str(name) for name in given if name not in names_of(spec))
    names = ", ".join(unknown)
    error = unknown_argument(verb, spec, unknown[0], where)
    if spec.unknown_text:
        error.message = f"{spec.unknown_text}: {','.join(unknown)}"
        return error
    error.message = f"Unsupported parameters for ({verb}) module: {names}"
    if verb != "shell":
        error.message += f". Supported parameters include: {', '.join(sorted(spec.args))}."
    return error


def missing_arguments(verb: str, names: list[str], where: Where | None) -> OpsError:
    return OpsError(
        "missing-argument", f"missing required arguments: {', '.join(names)}", where, f"See: opsplay doc {verb}"
    )


def check_together(verb: str, spec: Spec, values: Mapping[str, Any], where: Where | None) -> None:
    """Required, exclusive and dependent arguments, in Ansible's documented wording. Raises OpsError."""
    given = {name for name, value in values.items() if value is not None}
    message = _conflict(spec, values, given)
    if message:
        raise OpsError("bad-arguments", message, where, f"See: opsplay doc {verb}")


def _conflict(spec: Spec, values: Mapping[str, Any], given: set[str]) -> str:
    for group in spec.exclusive:
        if len(clash := [name for name in group if name in given]) > 1:
            return f"parameters are mutually exclusive: {'|'.join(clash)}"
    missing = [name for name in required(spec) if name not in given and not (spec.args[name].nullable and name in values)]
    if missing:
        return spec.missing_text or f"missing required arguments: {', '.join(missing)}"
    for group in spec.together:
        if 0 < len(given & set(group)) < len(group):
            return f"parameters are required together: {', '.join(group)}"
    for group in spec.one_of:
        if not given & set(group):
            return f"one of the following is required: {', '.join(group)}"
    return _unmet_condition(spec, values, given)


def _unmet_condition(spec: Spec, values: Mapping[str, Any], given: set[str]) -> str:
    for name, value, needed, *any_one in spec.required_if:
        actual = values.get(name, spec.args[name].default if name in spec.args else None)
        missing = [item for item in needed if item not in given]
        if actual == value and missing and not (any_one and any_one[0] and len(missing) < len(needed)):
            kind = "any" if any_one and any_one[0] else "all"
            return f"{name} is {value} but {kind} of the following are missing: {', '.join(missing)}"
    for name, needed in spec.required_by.items():
        needed = (needed,) if isinstance(needed, str) else needed
        if name in given and (missing := [item for item in needed if item not in given]):
            return f"missing parameter(s) required by '{name}': {', '.join(missing)}"
    return ""


def convert(value: Any, argument: Argument, name: str, subject: str = "argument") -> Any:
    """The value as the argument's kind. Raises ValueError with the reason, in Ansible's words."""
    if value is None:
        return None
    try:
        typed = CONVERTERS[argument.kind](value)
    except ValueError as error:
        kind = type(value).__name__
        raise ValueError(f"{subject} '{name}' is of type {kind} and we were unable to convert to {argument.kind}: {error}") from None
    if argument.choices:
        typed = chosen(typed, argument, name)
    if argument.kind == "list":
        element = argument.elements
        return [convert(item, element, name, "Elements value for option") for item in typed] if element is not None else typed
    if argument.kind == "dict" and argument.fields:
        return fields(typed, argument.fields, name)
    return typed


def fields(value: Mapping[str, Any], known: Mapping[str, Argument], name: str) -> dict[str, Any]:
    names = {alias: key for key, argument in known.items() for alias in (key, *argument.aliases)}
    for key in value:
        if key not in names:
            raise ValueError(f'{name} has no entry "{key}". {did_you_mean(str(key), set(names))}'.strip())
    typed = {names[key]: convert(item, known[names[key]], f"{name}.{key}") for key, item in value.items()}
    missing = [key for key, argument in known.items() if argument.required and typed.get(key) is None]
    if missing:
        raise ValueError(f"missing required arguments: {', '.join(missing)} found in {name}")
    return {**{key: default_of(argument) for key, argument in known.items()}, **typed}


def chosen(value: Any, argument: Argument, name: str) -> Any:
    choices = argument.choices
    items = value if isinstance(value, list) else [value]
    for index, item in enumerate(items):
        if item in choices:
            continue
        match = (
            [choice for choice in choices if str(choice).lower() == str(item).lower()] if isinstance(item, bool) else []
        )
        if isinstance(item, str) and item in ("True", "False"):  # a YAML yes/no where the choice is a word
            match = [choice for choice in choices if choice in (TRUE if item == "True" else FALSE)]
        if not match:
            listed = ", ".join(str(choice) for choice in choices)
            if isinstance(value, list):
                raise ValueError(f"value of {name} must be one or more of: {listed}. Got no match for: {item}")
            raise ValueError(f"value of {name} must be one of: {listed}, got: {item}")
        items[index] = match[0]
    return items if isinstance(value, list) else items[0]


def to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value) if isinstance(value, dict) else str(value)
    return str(value)


def to_flag(value: Any, name: str) -> bool:
    """A boolean that an action reads itself. Raises ValueError."""
    return bool(convert(value, Flag(), name))


def to_boolean(value: Any) -> bool:
    flag = truth({"1.0": 1, "0.0": 0}.get(str(value).strip(), value))
    if flag is not None:
        return flag
    raise ValueError(f"The value {value!r} is not a valid boolean. Write true or false.")


def to_integer(value: Any) -> int:
    if isinstance(value, float) and value != int(value):
        raise ValueError(f"{value!r} is not a whole number")
    try:
        return int(float(value)) if isinstance(value, str) and re.fullmatch(r"\s*-?\d+\.0*\s*", value) else int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a whole number") from None


def to_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a number") from None


def to_bytes(value: Any) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(value))
    unit = match[2].upper().removesuffix("B") if match else "?"
    if not match or unit not in UNITS:
        raise ValueError(f"{value!r} is not a size like 10M or 1.5GB")
    size: int = round(float(match[1]) * UNITS[unit])
    return size


def to_list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")] if value else []
    if isinstance(value, (int, float, bool)):
        return [str(value)]
    if isinstance(value, dict):
        return [value]
    raise ValueError(f"{value!r} is not a list")


def to_dictionary(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        return text_to_dictionary(value)
    raise ValueError(f"{value!r} is not a mapping")


def text_to_dictionary(text: str) -> dict[str, Any]:
    if text.strip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            import ast

            try:
                found = ast.literal_eval(text)
            except (ValueError, SyntaxError):
                raise ValueError(f"{text!r} is not a mapping") from None
        return dict(found)
    if "=" in text:
        from opsplay.model.free_form import unquote

        return {
            key.strip(): unquote(item.strip())
            for key, _, item in (pair.partition("=") for pair in re.split(r"[,\s]+", text.strip()))
        }
    raise ValueError(f"{text!r} is not a mapping")


def to_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


CONVERTERS: dict[str, Any] = {
    "str": to_text, "path": to_text, "bool": to_boolean, "int": to_integer, "float": to_number, "bytes": to_bytes,
    "list": to_list, "dict": to_dictionary, "raw": lambda value: value, "json": to_json,
}  # fmt: skip
