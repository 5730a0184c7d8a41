"""Options of a user's lookup plugin, as its DOCUMENTATION declares them: where each may be set, its type and its choices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from opsplay.lazy_dataclass import dataclass

NOT_SET = object()
TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
FALSE = frozenset({"0", "false", "no", "off", "n", "f"})


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    kind: str | None = None
    default: Any = None
    choices: tuple[Any, ...] = ()
    required: bool = False
    aliases: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    ini: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=256)
def documented_options(text: str) -> dict[str, Option]:
    """Nothing for a documentation that cannot be read: then every option is what the caller gives."""
    import yaml

    try:
        options = (yaml.safe_load(text) or {}).get("options") or {}
        return {str(name): read_option(str(name), entry or {}) for name, entry in options.items()}
    except (yaml.YAMLError, AttributeError, TypeError, KeyError):
        return {}


def read_option(name: str, entry: Mapping[str, Any]) -> Option:
    return Option(
        name, entry.get("type"), entry.get("default"), tuple(entry.get("choices") or ()), bool(entry.get("required")),
        tuple(entry.get("aliases") or ()), tuple(item["name"] for item in entry.get("vars") or ()),
        tuple(item["name"] for item in entry.get("env") or ()), tuple((item["section"], item["key"]) for item in entry.get("ini") or ()),
    )  # fmt: skip


def value_of(option: Option, direct: Mapping[str, Any], variables: Mapping[str, Any] | None, plugin: str) -> Any:
    """What the caller gives, else a variable, the environment, ansible.cfg, the default. Raises ValueError for a wrong one."""
    given = next((direct[name] for name in (option.name, *option.aliases) if name in direct), NOT_SET)
    if given is NOT_SET:
        given = elsewhere(option, variables)
    if given is NOT_SET:
        if option.required and option.default is None:
            raise ValueError(f"Required config {option.name!r} for {plugin!r} lookup plugin not provided.")
        given = option.default
    return checked(option, typed(option, given))


def elsewhere(option: Option, variables: Mapping[str, Any] | None) -> Any:
    found = NOT_SET
    for name in option.variables:
        if variables is not None and name in variables:
            found = variables[name]
    if found is not NOT_SET:
        return found
    for name in option.environment:
        found = os.environ.get(name, found)
    return from_file(option) if found is NOT_SET and option.ini else found


def from_file(option: Option) -> Any:
    from pathlib import Path

    from opsplay.settings import find_config, read_config

    path = find_config(os.environ, Path.cwd(), [])
    found = NOT_SET
    if path is not None:
        parser = read_config(path)
        for section, key in option.ini:
            found = parser.get(section, key, fallback=found)
    return found


def typed(option: Option, value: Any) -> Any:
    if value is None:
        return None
    try:
        match option.kind:
            case "list" | "pathlist":
                return as_list(value)
            case "int" | "integer":
                return int(value)
            case "float":
                return float(value)
            case "bool" | "boolean":
                return as_flag(value)
            case "str" | "string":
                return value if isinstance(value, str) else as_text(value)
            case "dict" | "dictionary":
                return {key: value[key] for key in value}
            case "path":
                return os.path.expanduser(os.path.expandvars(value))
    except (TypeError, ValueError) as error:
        raise ValueError(f"Invalid type provided for {option.kind!r}: {value!r} (option {option.name!r})") from error
    return value


def as_list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_flag(value: Any) -> bool:
    text = str(value).lower()
    if text not in TRUE | FALSE:
        raise ValueError(text)
    return text in TRUE


def as_text(value: Any) -> str:
    if isinstance(value, (list, tuple, Mapping)):
        raise TypeError("no text")
    return str(value)


def checked(option: Option, value: Any) -> Any:
    """Raises ValueError for what is not among the choices."""
    if option.choices and value is not None:
        wrong = [item for item in (value if isinstance(value, list) else [value]) if item not in option.choices]
        if wrong:
            known = ", ".join(str(choice) for choice in option.choices)
            raise ValueError(f"Invalid value {wrong[0]!r} for option {option.name!r}; valid values are: {known}")
    return value
