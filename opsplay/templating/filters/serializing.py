"""Filters between JSON or YAML text and data."""

from __future__ import annotations

import datetime
import json
from typing import Any

from opsplay.source.json_reader import unwrapped
from opsplay.source.nodes import UnsafeText, VaultText
from opsplay.templating.budget import check_width
from opsplay.templating.texts import to_text


def to_json(value: Any, **options: Any) -> str:
    """Writes data as JSON on one line."""
    for ours in ("vault_to_text", "preprocess_unsafe"):
        options.pop(ours, None)
    check_width(options.get("indent"))
    return json.dumps(value, **{"default": _json_default, **options})


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True, **options: Any) -> str:
    """Writes data as JSON over several lines, its keys sorted."""
    return to_json(value, indent=indent, sort_keys=sort_keys, separators=(",", ": "), **options)


def from_json(value: Any, **options: Any) -> Any:
    """Reads a JSON text."""
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"the JSON object must be str, bytes or bytearray, not {type(value).__name__}")
    profile = options.pop("profile", None)
    found = json.loads(value, **options)
    return without_wrappers(unwrapped(found)) if str(profile or "").endswith("legacy") else found


def without_wrappers(value: Any) -> Any:
    """The data with the texts that Ansible's own JSON marks as unsafe or encrypted as the texts they are."""
    if isinstance(value, dict):
        return {key: without_wrappers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_wrappers(item) for item in value]
    return value.text if isinstance(value, UnsafeText) else value.ciphertext if isinstance(value, VaultText) else value


def to_yaml(value: Any, default_flow_style: bool | None = None, **options: Any) -> str:
    """Writes data as YAML, leaves in flow style."""
    import yaml

    for ours in ("vault_behavior", "dump_vault_tags"):
        options.pop(ours, None)
    check_width(options.get("indent"))
    return str(yaml.dump(value, Dumper=_dumper(), allow_unicode=True, default_flow_style=default_flow_style, **options))


def to_nice_yaml(value: Any, indent: int = 4, **options: Any) -> str:
    """Writes data as YAML in block style."""
    options.pop("default_flow_style", None)
    return to_yaml(value, default_flow_style=False, indent=indent, **options)


def from_yaml(value: Any) -> Any:
    """Reads a YAML text; anything but text is given back as it is."""
    if not isinstance(value, (str, bytes)):
        return value
    documents = _load(to_text(value))
    if len(documents) > 1:
        raise ValueError("expected a single document in the stream but found another document; use from_yaml_all")
    return documents[0] if documents else None


def from_yaml_all(value: Any) -> Any:
    """Reads a YAML text of several documents into a list."""
    if not isinstance(value, (str, bytes)):
        return [] if value is None else value
    return _load(to_text(value))


def _load(text: str) -> list[Any]:
    """Our own reader: its limits hold for what hosts send, and no tag makes an object."""
    from opsplay.source.nodes import plain
    from opsplay.source.yaml_reader import parse_yaml_documents

    return [None if node is None else plain(node) for node in parse_yaml_documents(text, "<text>", duplicates="ignore")]


def _json_default(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _dumper() -> Any:
    import yaml

    try:
        from yaml import CSafeDumper as Base
    except ImportError:
        from yaml import SafeDumper as Base  # type: ignore[assignment]

    class Dumper(Base):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(bytes, lambda dumper, data: dumper.represent_str(to_text(data)))
    Dumper.add_representer(tuple, yaml.SafeDumper.represent_list)
    return Dumper


FILTERS = {
    "from_json": from_json,
    "from_yaml": from_yaml,
    "from_yaml_all": from_yaml_all,
    "to_json": to_json,
    "to_nice_json": to_nice_json,
    "to_nice_yaml": to_nice_yaml,
    "to_yaml": to_yaml,
}
