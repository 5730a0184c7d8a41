"""Lookups of variables, the environment, settings and the inventory."""

from __future__ import annotations

import os
from typing import Any

from opsplay.templating import patterns
from opsplay.templating.failures import LookupFailed, TemplateFailed, Undefined
from opsplay.templating.lookups.call import LookupCall
from opsplay.templating.scope import MISSING
from opsplay.templating.texts import to_text
from opsplay.templating.undefined import Marker

# names that Ansible's documentation gives to what our settings call otherwise
SETTING_NAMES = {
    "DEFAULT_ROLES_PATH": "roles_path",
    "DEFAULT_HOST_LIST": "inventory",
    "COLLECTIONS_PATHS": "collections_path",
    "DEFAULT_MODULE_PATH": "library",
    "DEFAULT_FILTER_PLUGIN_PATH": "filter_plugins",
    "DEFAULT_TEST_PLUGIN_PATH": "test_plugins",
    "DEFAULT_LOOKUP_PLUGIN_PATH": "lookup_plugins",
    "RETRY_FILES_ENABLED": "retry_files_enabled",
    "DEFAULT_MANAGED_STR": "ansible_managed",
    "HOST_KEY_CHECKING": "host_key_checking",
    "INTERPRETER_PYTHON": "interpreter_python",
}


def vars_(call: LookupCall) -> list[Any]:
    """The values of variables by name; `default` where there is none.

    Options: default.
    """
    found = []
    for term in call.terms:
        if not isinstance(term, str):
            raise TypeError(f"Variable name must be 'str' not {type(term).__name__!r}.")
        value = call.templar.resolve(term, call.scope)
        if (value is MISSING or isinstance(value, Marker)) and "default" in call.options:
            value = call.options["default"]
        elif value is MISSING:
            raise Undefined(f"No variable named {term!r} was found.", name=term)
        found.append(call.templar.plain(value))
    return found


def varnames(call: LookupCall) -> list[Any]:
    """The names of the variables that regular expressions find."""
    names = list(call.scope.names())
    found: list[Any] = []
    for term in call.terms:
        if not isinstance(term, str):
            raise TypeError(f"Invalid setting identifier, {term!r} is not a string, it is a {type(term)}")
        try:
            found += [name for name in names if patterns.search(term, name)]
        except TemplateFailed as error:
            raise LookupFailed(f"Unable to use {term!r} as a search parameter: {error.message}") from None
    return found


def env(call: LookupCall) -> list[Any]:
    """Environment variables of the controller.

    Options: default=''.
    """
    default = call.option("default", "")
    found = []
    for term in call.terms:
        value = os.environ.get(to_text(term).split()[0] if to_text(term).strip() else "")
        found.append(default if value is None else value)
    return found


def inventory_hostnames(call: LookupCall) -> list[Any]:
    """The hosts of the inventory that a pattern names."""
    pattern = ",".join(to_text(term) for term in call.terms)
    if call.context is not None and hasattr(call.context, "inventory_hostnames"):
        return list(call.context.inventory_hostnames(pattern))
    raise LookupFailed("there is no inventory here to look hosts up in")


def config(call: LookupCall) -> list[Any]:
    """The values of settings, by the names of ansible.cfg's documentation.

    Options: on_missing='error', show_origin=false.
    """
    missing = call.option("on_missing", "error")
    if missing not in ("error", "warn", "skip"):
        raise ValueError(f"Invalid value for option 'on_missing': {missing!r}")
    found = []
    for term in call.terms:
        value = _setting(call, to_text(term))
        if value is MISSING and missing == "error":
            raise LookupFailed(f"Unable to find setting {term}: Setting {term!r} was not defined")
        if value is not MISSING:
            found.append([value, "settings"] if call.flag("show_origin") else value)
    return found


def _setting(call: LookupCall, name: str) -> Any:
    settings = call.templar.settings
    tried = [SETTING_NAMES.get(name, ""), name.lower(), name.lower().removeprefix("default_"), name.lower() + "s"]
    value = next((getattr(settings, word) for word in tried if word and hasattr(settings, word)), MISSING)
    return list(value) if isinstance(value, tuple) else value


LOOKUPS = {
    "config": config,
    "env": env,
    "inventory_hostnames": inventory_hostnames,
    "varnames": varnames,
    "vars": vars_,
}
