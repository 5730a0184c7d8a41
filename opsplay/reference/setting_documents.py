"""What every setting is called in ansible.cfg and the environment, what it is now, and who said so."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from opsplay.lazy_dataclass import dataclass
from opsplay.settings import Settings, _text_of, find_config, load_settings, read_config

CONSTANTS = {  # where Ansible's constant is not the field's name in capitals, or DEFAULT_ and that
    "inventory": "DEFAULT_HOST_LIST", "library": "DEFAULT_MODULE_PATH", "collections_path": "COLLECTIONS_PATHS",
    "duplicate_dict_key": "DUPLICATE_YAML_DICT_KEY", "interpreter_python": "INTERPRETER_PYTHON", "ssh_args": "ANSIBLE_SSH_ARGS",
    "ssh_common_args": "ANSIBLE_SSH_COMMON_ARGS", "ssh_extra_args": "ANSIBLE_SSH_EXTRA_ARGS", "nocolor": "ANSIBLE_NOCOLOR",
    "force_color": "ANSIBLE_FORCE_COLOR", "inject_facts": "INJECT_FACTS_AS_VARS", "tags_run": "TAGS_RUN", "tags_skip": "TAGS_SKIP",
    "diff_always": "DIFF_ALWAYS", "diff_context": "DIFF_CONTEXT", "fact_caching": "CACHE_PLUGIN",
    "fact_caching_connection": "CACHE_PLUGIN_CONNECTION", "fact_caching_prefix": "CACHE_PLUGIN_PREFIX",
    "fact_caching_timeout": "CACHE_PLUGIN_TIMEOUT", "verbosity": "DEFAULT_VERBOSITY", "precedence": "VARIABLE_PRECEDENCE",
    "inventory_unparsed_failed": "INVENTORY_UNPARSED_IS_FAILED", "inventory_any_unparsed_failed": "INVENTORY_ANY_UNPARSED_IS_FAILED",
    "ignore_files_": "INVENTORY_IGNORE_PATTERNS", "vars_plugins_stage": "RUN_VARS_PLUGINS", "become_password_file": "BECOME_PASSWORD_FILE",
}  # fmt: skip
PLAIN = frozenset(
    ["any_errors_fatal", "host_key_checking", "collections_path", "display_skipped_hosts", "display_args_to_stdout", "error_on_missing_handler", "fact_path", "facts_modules", "inventory_enabled", "inventory_unparsed_warning", "task_timeout", "playbook_dir", "host_pattern_mismatch", "callbacks_enabled", "show_custom_stats", "max_diff_size", "system_warnings", "transform_invalid_group_chars", "playbook_vars_root", "connection_password_file", "become_password_file", "allow_broken_conditionals", "state_dir", "history_url", "connect_at_once", "run_pending_handlers", "max_fail", "live_output", "listeners"]
)


@dataclass(frozen=True, slots=True)
class SettingDocument:
    name: str
    field: str
    key: str
    section: str
    environment: tuple[str, ...]
    kind: str
    default: Any
    value: Any
    origin: str  # "default", the configuration file, or "env: NAME"


def setting_documents(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> list[SettingDocument]:
    """Every setting, by name. Raises OpsError for a configuration that cannot be read."""
    environ, cwd = os.environ if environ is None else environ, cwd or Path.cwd()
    settings = load_settings(environ, cwd)
    path = find_config(environ, cwd, [])
    parser = read_config(path) if path else configparser.ConfigParser(interpolation=None)
    found = []
    for item in fields(Settings):
        if not item.metadata:
            continue
        meta = item.metadata
        default = item.default if item.default is not MISSING else item.default_factory()  # type: ignore[operator]
        origin = "default"
        if _text_of(meta, parser, environ, path, cwd)[0] is not None:
            origin = next((f"env: {name}" for name in meta["env"] if environ.get(name) is not None), str(path))
        found.append(SettingDocument(
            constant(item.name), item.name, meta["key"], meta["section"], tuple(meta["env"]), meta["kind"], default,
            getattr(settings, item.name), origin,
        ))  # fmt: skip
    return sorted(found, key=lambda document: document.name)


def constant(field: str) -> str:
    if field in CONSTANTS:
        return CONSTANTS[field]
    return field.upper() if field in PLAIN or field.startswith(("inventory_", "become_", "connection_")) else f"DEFAULT_{field.upper()}"


def unknown_keys(path: Path) -> Iterator[str]:
    """The keys of a configuration file that are no setting here."""
    known = {(item.metadata["section"], item.metadata["key"]) for item in fields(Settings) if item.metadata}
    for section in (parser := read_config(path)).sections():
        for key in parser[section]:
            if (section, key) not in known:
                yield f"{key} in section [{section}]"
