"""Writing: listings as JSON, YAML and TOML text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from opsplay.inventory.listing import visible
from opsplay.templating.template import Template
from opsplay.templating.values import Unsafe, Vaulted


def to_json(tree: Mapping[str, Any]) -> str:
    """As ansible-inventory prints it: keys sorted, four spaces."""
    return json.dumps(tree, sort_keys=True, indent=4, ensure_ascii=False, default=visible) + "\n"


class _Dumper(yaml.SafeDumper):
    """YAML with templates as written, `!vault` values as blocks, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _template(dumper: yaml.SafeDumper, value: Template) -> yaml.Node:
    return dumper.represent_str(value.source)


def _vaulted(dumper: yaml.SafeDumper, value: Vaulted) -> yaml.Node:
    return dumper.represent_scalar("!vault", value.ciphertext.strip() + "\n", style="|")


def _unsafe(dumper: yaml.SafeDumper, value: Unsafe) -> yaml.Node:
    return dumper.represent_scalar("!unsafe", str(value))


def to_yaml(tree: Mapping[str, Any]) -> str:
    if Template not in _Dumper.yaml_representers:
        _Dumper.add_representer(Template, _template)
        _Dumper.add_representer(Vaulted, _vaulted)
        _Dumper.add_representer(Unsafe, _unsafe)
    return yaml.dump(dict(tree), Dumper=_Dumper, default_flow_style=False, allow_unicode=True)


def to_toml(tables: Mapping[str, Any]) -> str:
    """Tables of groups, hosts and dictionaries, their keys quoted where TOML wants it."""
    lines: list[str] = []
    for name, entry in tables.items():
        _table([name], entry, lines)
    return "\n".join(lines).strip() + "\n"


def _table(path: list[str], entry: Mapping[str, Any], lines: list[str]) -> None:
    values = {name: value for name, value in entry.items() if not isinstance(value, Mapping) and value is not None}
    tables = {name: value for name, value in entry.items() if isinstance(value, Mapping)}
    if values or not tables:
        lines += ["", f"[{'.'.join(map(_key, path))}]"]
    lines += [f"{_key(str(name))} = {_toml(value, True)}" for name, value in values.items()]
    for name, value in tables.items():
        _table([*path, str(name)], value, lines)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name, ensure_ascii=False)


def _toml(value: object, spread: bool = False) -> str:
    if spread and isinstance(value, list) and value:
        return "[\n" + "".join(f"    {_toml(item)},\n" for item in value if item is not None) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{_key(str(key))} = {_toml(item)}" for key, item in value.items() if item is not None)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value if item is not None) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps("" if value is None else str(value), ensure_ascii=False)


def formatted(values: Mapping[str, Any], form: str | None) -> str:
    """One host's variables in the form asked for (None: JSON)."""
    if form == "yaml":
        return to_yaml(values)
    shown = {name: visible(value) for name, value in values.items()}
    if form == "toml":
        return "".join(f"{_key(name)} = {_toml(value)}\n" for name, value in shown.items())
    return to_json(shown)
