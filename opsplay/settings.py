"""Settings: what ansible.cfg, ANSIBLE_* and OPSPLAY_* say, as one frozen value that is passed along."""

from __future__ import annotations

import configparser
import os
import stat
from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from opsplay.errors import Fault, OpsError, Where
from opsplay.lazy_dataclass import dataclass
from opsplay.truth import truth


def setting(default: Any, key: str, *env: str, section: str = "defaults", kind: str = "str") -> Any:
    metadata = {"key": key, "env": env, "section": section, "kind": kind}
    if isinstance(default, (list, tuple, dict)):
        return field(default_factory=lambda: tuple(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting has Ansible's documented name, section and environment variable."""

    inventory: tuple[str, ...] = setting((), "inventory", "ANSIBLE_INVENTORY", kind="pathlist")
    roles_path: tuple[str, ...] = setting(
        ("~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles"),
        "roles_path",
        "ANSIBLE_ROLES_PATH",
        kind="paths",
    )
    collections_path: tuple[str, ...] = setting(
        ("~/.ansible/collections", "/usr/share/ansible/collections"),
        "collections_path", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS", kind="collections",
    )  # fmt: skip
    library: tuple[str, ...] = setting(("~/.ansible/plugins/modules",), "library", "ANSIBLE_LIBRARY", kind="paths")
    module_utils: tuple[str, ...] = setting(
        ("~/.ansible/plugins/module_utils",), "module_utils", "ANSIBLE_MODULE_UTILS", kind="paths"
    )
    filter_plugins: tuple[str, ...] = setting(
        ("~/.ansible/plugins/filter",), "filter_plugins", "ANSIBLE_FILTER_PLUGINS", kind="paths"
    )
    test_plugins: tuple[str, ...] = setting(
        ("~/.ansible/plugins/test",), "test_plugins", "ANSIBLE_TEST_PLUGINS", kind="paths"
    )
    lookup_plugins: tuple[str, ...] = setting(
        ("~/.ansible/plugins/lookup",), "lookup_plugins", "ANSIBLE_LOOKUP_PLUGINS", kind="paths"
    )
    plugin_filters_cfg: str | None = setting(None, "plugin_filters_cfg", kind="path")
    connection_plugins: tuple[str, ...] = setting((), "connection_plugins", "ANSIBLE_CONNECTION_PLUGINS", kind="paths")
    action_plugins: tuple[str, ...] = setting((), "action_plugins", "ANSIBLE_ACTION_PLUGINS", kind="paths")
    playbook_dir: str | None = setting(None, "playbook_dir", "ANSIBLE_PLAYBOOK_DIR", kind="path")
    forks: int = setting(0, "forks", "ANSIBLE_FORKS", kind="int")  # 0: as many hosts at once as there are
    timeout: int = setting(10, "timeout", "ANSIBLE_TIMEOUT", kind="int")
    task_timeout: int = setting(0, "task_timeout", "ANSIBLE_TASK_TIMEOUT", kind="int")
    remote_user: str | None = setting(None, "remote_user", "ANSIBLE_REMOTE_USER")
    remote_port: int | None = setting(None, "remote_port", "ANSIBLE_REMOTE_PORT", kind="int")
    private_key_file: str | None = setting(None, "private_key_file", "ANSIBLE_PRIVATE_KEY_FILE", kind="path")
    host_key_checking: bool = setting(
        True, "host_key_checking", "ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING", kind="bool"
    )
    transport: str = setting("ssh", "transport", "ANSIBLE_TRANSPORT")
    interpreter_python: str = setting("auto", "interpreter_python", "ANSIBLE_PYTHON_INTERPRETER")
    executable: str = setting("/bin/sh", "executable", "ANSIBLE_EXECUTABLE")
    ssh_args: str = setting("", "ssh_args", "ANSIBLE_SSH_ARGS", section="ssh_connection")
    ssh_common_args: str = setting("", "ssh_common_args", "ANSIBLE_SSH_COMMON_ARGS", section="ssh_connection")
    ssh_extra_args: str = setting("", "ssh_extra_args", "ANSIBLE_SSH_EXTRA_ARGS", section="ssh_connection")
    become: bool = setting(False, "become", "ANSIBLE_BECOME", section="privilege_escalation", kind="bool")
    become_method: str = setting("sudo", "become_method", "ANSIBLE_BECOME_METHOD", section="privilege_escalation")
    become_user: str = setting("root", "become_user", "ANSIBLE_BECOME_USER", section="privilege_escalation")
    become_exe: str | None = setting(None, "become_exe", "ANSIBLE_BECOME_EXE", section="privilege_escalation")
    become_flags: str | None = setting(None, "become_flags", "ANSIBLE_BECOME_FLAGS", section="privilege_escalation")
    become_ask_pass: bool = setting(
        False, "become_ask_pass", "ANSIBLE_BECOME_ASK_PASS", section="privilege_escalation", kind="bool"
    )
    become_password_file: str | None = setting(
        None, "become_password_file", "ANSIBLE_BECOME_PASSWORD_FILE", kind="path"
    )
    connection_password_file: str | None = setting(
        None, "connection_password_file", "ANSIBLE_CONNECTION_PASSWORD_FILE", kind="path"
    )
    ask_pass: bool = setting(False, "ask_pass", "ANSIBLE_ASK_PASS", kind="bool")
    vault_password_file: str | None = setting(None, "vault_password_file", "ANSIBLE_VAULT_PASSWORD_FILE", kind="path")
    vault_identity_list: tuple[str, ...] = setting(
        (), "vault_identity_list", "ANSIBLE_VAULT_IDENTITY_LIST", kind="list"
    )
    vault_identity: str = setting("default", "vault_identity", "ANSIBLE_VAULT_IDENTITY")
    vault_encrypt_identity: str | None = setting(None, "vault_encrypt_identity", "ANSIBLE_VAULT_ENCRYPT_IDENTITY")
    vault_encrypt_salt: str | None = setting(None, "vault_encrypt_salt", "ANSIBLE_VAULT_ENCRYPT_SALT")
    vault_id_match: bool = setting(False, "vault_id_match", "ANSIBLE_VAULT_ID_MATCH", kind="bool")
    ask_vault_pass: bool = setting(False, "ask_vault_pass", "ANSIBLE_ASK_VAULT_PASS", kind="bool")
    hash_behaviour: str = setting("replace", "hash_behaviour", "ANSIBLE_HASH_BEHAVIOUR")
    gathering: str = setting("implicit", "gathering", "ANSIBLE_GATHERING")
    gather_subset: tuple[str, ...] = setting((), "gather_subset", "ANSIBLE_GATHER_SUBSET", kind="list")
    gather_timeout: int = setting(0, "gather_timeout", "ANSIBLE_GATHER_TIMEOUT", kind="int")
    facts_modules: tuple[str, ...] = setting(("smart",), "facts_modules", "ANSIBLE_FACTS_MODULES", kind="list")
    fact_path: str | None = setting(None, "fact_path", "ANSIBLE_FACT_PATH")
    inject_facts: bool = setting(True, "inject_facts_as_vars", "ANSIBLE_INJECT_FACT_VARS", kind="bool")
    fact_caching: str = setting("memory", "fact_caching", "ANSIBLE_CACHE_PLUGIN")
    fact_caching_connection: str | None = setting(None, "fact_caching_connection", "ANSIBLE_CACHE_PLUGIN_CONNECTION")
    fact_caching_prefix: str = setting("", "fact_caching_prefix", "ANSIBLE_CACHE_PLUGIN_PREFIX")
    fact_caching_timeout: int = setting(86400, "fact_caching_timeout", "ANSIBLE_CACHE_PLUGIN_TIMEOUT", kind="int")
    force_handlers: bool = setting(False, "force_handlers", "ANSIBLE_FORCE_HANDLERS", kind="bool")
    any_errors_fatal: bool = setting(False, "any_errors_fatal", "ANSIBLE_ANY_ERRORS_FATAL", kind="bool")
    error_on_missing_handler: bool = setting(
        True, "error_on_missing_handler", "ANSIBLE_ERROR_ON_MISSING_HANDLER", kind="bool"
    )
    no_log: bool = setting(False, "no_log", "ANSIBLE_NO_LOG", kind="bool")
    strategy: str = setting("linear", "strategy", "ANSIBLE_STRATEGY")
    private_role_vars: bool = setting(False, "private_role_vars", "ANSIBLE_PRIVATE_ROLE_VARS", kind="bool")
    jinja2_native: bool = setting(False, "jinja2_native", "ANSIBLE_JINJA2_NATIVE", kind="bool")
    jinja2_extensions: str = setting("", "jinja2_extensions", "ANSIBLE_JINJA2_EXTENSIONS")
    allow_broken_conditionals: bool = setting(
        False, "allow_broken_conditionals", "ANSIBLE_ALLOW_BROKEN_CONDITIONALS", kind="bool"
    )
    untrusted_templates: str = setting(
        "ignore", "untrusted_templates", "OPSPLAY_UNTRUSTED_TEMPLATES", "_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR", section="opsplay"
    )  # what to say of data that looks like a template: "warning" or nothing; it is never evaluated
    ansible_managed: str = setting("Ansible managed", "ansible_managed", "ANSIBLE_MANAGED")
    duplicate_dict_key: str = setting("error", "duplicate_dict_key", "ANSIBLE_DUPLICATE_YAML_DICT_KEY")
    host_pattern_mismatch: str = setting(
        "warning", "host_pattern_mismatch", "ANSIBLE_HOST_PATTERN_MISMATCH", section="inventory"
    )
    inventory_enabled: tuple[str, ...] = setting(
        ("host_list", "script", "auto", "yaml", "ini", "toml"),
        "enable_plugins",
        "ANSIBLE_INVENTORY_ENABLED",
        section="inventory",
        kind="list",
    )
    inventory_unparsed_failed: bool = setting(
        False, "unparsed_is_failed", "ANSIBLE_INVENTORY_UNPARSED_FAILED", section="inventory", kind="bool"
    )
    inventory_any_unparsed_failed: bool = setting(
        False, "any_unparsed_is_failed", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", section="inventory", kind="bool"
    )
    inventory_unparsed_warning: bool = setting(
        True, "inventory_unparsed_warning", "ANSIBLE_INVENTORY_UNPARSED_WARNING", section="inventory", kind="bool"
    )
    script_stderr: bool = setting(
        True, "always_show_stderr", "ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR", section="inventory_plugin_script", kind="bool"
    )
    transform_invalid_group_chars: str = setting(
        "never", "force_valid_group_names", "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"
    )
    vars_plugins_stage: str = setting("demand", "run_vars_plugins", "ANSIBLE_RUN_VARS_PLUGINS")
    playbook_vars_root: str = setting("top", "playbook_vars_root", "ANSIBLE_PLAYBOOK_VARS_ROOT")
    precedence: tuple[str, ...] = setting(
        ("all_inventory", "groups_inventory", "all_plugins_inventory", "all_plugins_play", "groups_plugins_inventory", "groups_plugins_play"),
        "precedence", "ANSIBLE_PRECEDENCE", kind="list",
    )  # fmt: skip
    tags_run: tuple[str, ...] = setting((), "run", "ANSIBLE_RUN_TAGS", section="tags", kind="list")
    tags_skip: tuple[str, ...] = setting((), "skip", "ANSIBLE_SKIP_TAGS", section="tags", kind="list")
    diff_always: bool = setting(False, "always", "ANSIBLE_DIFF_ALWAYS", section="diff", kind="bool")
    diff_context: int = setting(3, "context", "ANSIBLE_DIFF_CONTEXT", section="diff", kind="int")
    debug: bool = setting(False, "debug", "ANSIBLE_DEBUG", kind="bool")  # tell also what the engine does unasked
    verbosity: int = setting(0, "verbosity", "ANSIBLE_VERBOSITY", kind="int")
    nocolor: bool = setting(False, "nocolor", "ANSIBLE_NOCOLOR", "NO_COLOR", kind="bool")
    force_color: bool = setting(False, "force_color", "ANSIBLE_FORCE_COLOR", kind="bool")
    system_warnings: bool = setting(True, "system_warnings", "ANSIBLE_SYSTEM_WARNINGS", kind="bool")
    deprecation_warnings: bool = setting(True, "deprecation_warnings", "ANSIBLE_DEPRECATION_WARNINGS", kind="bool")
    display_skipped_hosts: bool = setting(True, "display_skipped_hosts", "ANSIBLE_DISPLAY_SKIPPED_HOSTS", kind="bool")
    display_args_to_stdout: bool = setting(
        False, "display_args_to_stdout", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT", kind="bool"
    )
    stdout_callback: str = setting("default", "stdout_callback", "ANSIBLE_STDOUT_CALLBACK")
    load_callback_plugins: bool = setting(False, "bin_ansible_callbacks", "ANSIBLE_LOAD_CALLBACK_PLUGINS", kind="bool")
    callbacks_enabled: tuple[str, ...] = setting((), "callbacks_enabled", "ANSIBLE_CALLBACKS_ENABLED", kind="list")
    callback_plugins: tuple[str, ...] = setting(
        ("~/.ansible/plugins/callback",), "callback_plugins", "ANSIBLE_CALLBACK_PLUGINS", kind="paths"
    )
    enable_task_debugger: bool = setting(False, "enable_task_debugger", "ANSIBLE_ENABLE_TASK_DEBUGGER", kind="bool")
    task_debugger_ignore_errors: bool = setting(
        True, "task_debugger_ignore_errors", "ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS", kind="bool"
    )
    log_path: str | None = setting(None, "log_path", "ANSIBLE_LOG_PATH", kind="path")
    log_verbosity: int = setting(0, "log_verbosity", "ANSIBLE_LOG_VERBOSITY", kind="int")
    show_custom_stats: bool = setting(False, "show_custom_stats", "ANSIBLE_SHOW_CUSTOM_STATS", kind="bool")
    max_diff_size: int = setting(104448, "max_diff_size", "ANSIBLE_MAX_DIFF_SIZE", kind="int")
    remote_tmp: str = setting("~/.ansible/tmp", "remote_tmp", "ANSIBLE_REMOTE_TMP")
    local_tmp: str = setting("~/.ansible/tmp", "local_tmp", "ANSIBLE_LOCAL_TEMP")
    module_lang: str = setting("", "module_lang", "ANSIBLE_MODULE_LANG")
    ignore_files_: tuple[str, ...] = setting(
        (), "inventory_ignore_patterns", "ANSIBLE_INVENTORY_IGNORE_REGEX", kind="list"
    )
    state_dir: str | None = setting(None, "state_dir", "OPSPLAY_STATE", section="opsplay", kind="path")
    history_url: str | None = setting(None, "history", "OPSPLAY_HISTORY", section="opsplay")
    run_pending_handlers: bool = setting(
        False, "run_pending_handlers", "OPSPLAY_RUN_PENDING_HANDLERS", section="opsplay", kind="bool"
    )
    live_output: int = setting(2, "live_output", "OPSPLAY_LIVE_OUTPUT", section="opsplay", kind="int")  # seconds; -1: none
    listeners: tuple[str, ...] = setting((), "listeners", "OPSPLAY_LISTENERS", section="opsplay", kind="paths")
    max_fail: str | None = setting(None, "max_fail", "OPSPLAY_MAX_FAIL", section="opsplay")
    connect_at_once: int = setting(16, "connect_at_once", "OPSPLAY_CONNECT_AT_ONCE", section="opsplay", kind="int")
    config_file: str | None = None
    compatible: bool = False  # run by the shims: where our own way is stricter, Ansible's
    warnings: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()  # those that the file or the environment sets

    def with_(self, **changes: Any) -> Settings:
        from dataclasses import replace

        return replace(self, **changes)


def load_settings(env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """Settings from the first configuration file found and the environment. Raises OpsError for an unreadable one."""
    env = os.environ if env is None else env
    cwd = cwd or Path.cwd()
    warnings: list[str] = []
    path = find_config(env, cwd, warnings)
    parser = read_config(path) if path else configparser.ConfigParser(interpolation=None)
    values: dict[str, Any] = {}
    for item in fields(Settings):
        if not item.metadata:
            continue
        text, base = _text_of(item.metadata, parser, env, path, cwd)
        if text is not None and (text.strip() or item.metadata["kind"] != "int"):
            values[item.name] = convert(text, item.metadata["kind"], item.metadata["key"], base)
    return Settings(**values, config_file=str(path) if path else None, warnings=tuple(warnings), given=frozenset(values))


def _text_of(
    meta: Mapping[str, Any], parser: configparser.ConfigParser, env: Mapping[str, str], path: Path | None, cwd: Path
) -> tuple[str | None, Path]:
    for name in meta["env"]:
        if env.get(name) is not None:
            return env[name], cwd
    text = parser.get(meta["section"], meta["key"], fallback=None)
    return text, path.parent if path else cwd


def find_config(env: Mapping[str, str], cwd: Path, warnings: list[str]) -> Path | None:
    """ANSIBLE_CONFIG, ./ansible.cfg (never from a world-writable folder), ~/.ansible.cfg, /etc/ansible/ansible.cfg."""
    named = env.get("ANSIBLE_CONFIG")
    if named:
        path = Path(named).expanduser()
        path = path / "ansible.cfg" if path.is_dir() else path
        return path.absolute() if path.exists() else None
    local = cwd / "ansible.cfg"
    if local.is_file():
        if cwd.stat().st_mode & stat.S_IWOTH:
            warnings.append(
                f"{cwd} is writable by everybody, so its ansible.cfg is ignored. Remedy: chmod o-w {cwd}, or set ANSIBLE_CONFIG."
            )
        else:
            return local.absolute()
    home = Path(env.get("HOME", "~")).expanduser() / ".ansible.cfg"
    return next((path for path in (home, Path("/etc/ansible/ansible.cfg")) if path.is_file()), None)


def read_config(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",), strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        line = getattr(error, "lineno", 0) or 0
        raise OpsError(
            "bad-configuration", str(error).splitlines()[0], Where(str(path), line), "Mend the line, or set ANSIBLE_CONFIG to another file.",
            fault=Fault.USAGE,
        ) from None  # fmt: skip
    return parser


def convert(text: str, kind: str, key: str, base: Path) -> Any:
    """The text of a setting as its kind. Raises OpsError naming the setting."""
    text = text.strip()
    if kind == "str":
        return text.strip("'\"") if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
    if kind == "bool":
        return to_bool(text, key)
    if kind == "collections":  # a path may name the folder that holds ansible_collections, or that one itself
        return tuple(item.rstrip("/").removesuffix("/ansible_collections") or "/" for item in convert(text, "paths", key, base))
    if kind == "int":
        if not text.lstrip("-").isdigit():
            raise OpsError(
                "bad-setting",
                f"Config {key!r} has an invalid value: it is a whole number, not {text!r}",
                remedy=f"Set {key} to a number.",
                fault=Fault.USAGE,
            )
        return int(text)
    if kind == "path":
        return str(absolute(text, base)) if text else None
    if kind == "list":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    separator = ":" if kind == "paths" else ","
    return tuple(str(absolute(part, base)) if "," not in part and (kind == "paths" or _is_path(part, base)) else part
                 for part in text.split(separator) if part.strip())  # fmt: skip


def _is_path(part: str, base: Path) -> bool:
    return absolute(part, base).exists()


def absolute(text: str, base: Path) -> Path:
    text = os.path.expandvars(text.strip()).replace("{{CWD}}", str(Path.cwd())).replace("{{ CWD }}", str(Path.cwd()))
    return base / Path(text).expanduser()


def to_bool(text: str, key: str) -> bool:
    value = truth(text or "no")
    if value is None:
        raise OpsError(
            "bad-setting", f"Config {key!r} has an invalid value: it is yes or no, not {text!r}", remedy=f"Set {key} to true or false.", fault=Fault.USAGE
        )
    return value
