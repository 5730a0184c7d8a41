"""The table of lookups: which file holds which, and how one is run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from opsplay.errors import OpsError
from opsplay.templating.failures import LookupFailed, TemplateFailed, Undefined
from opsplay.templating.lazy import LazyDict, LazyList
from opsplay.templating.lookups.call import LookupCall, LookupContext
from opsplay.templating.scope import MISSING, Scope

if TYPE_CHECKING:
    from opsplay.templating.templar import Templar

BUILTIN: Final = "ansible.builtin"

# file -> (collection, names); a test compares this table with the folder
FILES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "lists": (
        BUILTIN,
        ("dict", "indexed_items", "items", "list", "nested", "random_choice", "sequence", "subelements", "together"),
    ),
    "variables": (BUILTIN, ("config", "env", "inventory_hostnames", "varnames", "vars")),
    "files": (BUILTIN, ("file", "fileglob", "first_found", "template", "unvault")),
    "tables": (BUILTIN, ("csvfile", "ini")),
    "commands": (BUILTIN, ("lines", "pipe", "url")),
    "passwords": (BUILTIN, ("password",)),
    "general": (
        "community.general",
        ("cartesian", "dependent", "filetree", "flattened", "merge_variables", "random_string"),
    ),
    "utils": ("ansible.utils", ("get_path", "index_of", "to_paths")),
}  # fmt: skip

ALSO: Final = {"ansible.legacy": frozenset({BUILTIN})}


class Ignored(list[Any]):
    """The empty answer of a lookup that failed and was told to `errors='ignore'`."""


def run_lookup(templar: Templar, name: str, terms: list[Any], scope: Scope, options: dict[str, Any]) -> list[Any]:
    """Runs a lookup; terms and options may be compiled values or what an expression made. The answer is data."""
    from opsplay.templating.plugins import short_name

    options = {key: _option(templar, value, scope) for key, value in options.items()}
    errors = options.pop("errors", "strict")
    options.pop("wantlist", None)
    if errors not in ("strict", "warn", "ignore"):
        raise TemplateFailed(f"Invalid value for 'errors': {errors!r}; it is strict, warn or ignore")
    plain = defined_parts(templar, terms, scope) if short_name(name) == "first_found" else templar.render(terms, scope)
    call = LookupCall(name, plain if isinstance(plain, list) else [plain], options, scope, templar)
    try:
        return _found(call)
    except LookupFailed:
        if errors == "strict":
            raise
        return Ignored()


def _option(templar: Templar, value: Any, scope: Scope) -> Any:
    """The plain option; an undefined one as it is, for `lookup('env', NAME, default=undef())`."""
    try:
        return templar.render(value, scope)
    except Undefined:
        return value


def defined_parts(templar: Templar, value: Any, scope: Scope) -> Any:
    """The value without what is undefined in it: a file whose name is not known is a file that is not found."""
    value = templar.materialize(value, scope)
    if isinstance(value, LazyDict):
        kept = {key: _defined(templar, item, scope) for key, item in value.raw_items()}
        return {key: item for key, item in kept.items() if item is not MISSING}
    if isinstance(value, LazyList):
        return [item for part in value.raw_items() if (item := _defined(templar, part, scope)) is not MISSING]
    return templar.plain(value)


def _defined(templar: Templar, value: Any, scope: Scope) -> Any:
    try:
        return defined_parts(templar, value, scope)
    except Undefined:
        return MISSING


def _found(call: LookupCall) -> list[Any]:
    function = find(call.templar, call.name)
    try:
        found = function(call)
    except LookupFailed as error:
        if not error.message.startswith("The lookup plugin"):
            error.message = f"The lookup plugin {call.name!r} failed: {error.message}"
        raise
    except OpsError:
        raise
    except Exception as error:
        from opsplay.templating.plugins import reason

        raise LookupFailed(f"The lookup plugin {call.name!r} failed: {reason(error)}") from error
    return list(found) if isinstance(found, (list, tuple)) else [found]


def find(templar: Templar, name: str) -> Any:
    from opsplay.templating.plugins import index
    from opsplay.templating.user_lookups import runner

    user = templar.plugins.of_user("lookup", name)
    if user is not None:
        return runner(user)
    file = index(FILES, ALSO).get(name)
    if file is None:
        remedy = "List them with: opsplay doc --lookups"
        raise TemplateFailed(f"The lookup plugin {name!r} was not found.", remedy=remedy)
    module = importlib.import_module(f"{__name__}.{file}")
    return module.LOOKUPS[name.rpartition(".")[2]]


__all__ = ["FILES", "LookupCall", "LookupContext", "find", "run_lookup"]
