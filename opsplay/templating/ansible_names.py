"""The few names of Ansible that plugins import (errors, LookupBase, converters), where Ansible is not installed."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

ERRORS = (
    "AnsibleError", "AnsibleFilterError", "AnsibleFilterTypeError", "AnsibleLookupError", "AnsibleOptionsError",
    "AnsibleParserError", "AnsiblePluginError", "AnsibleRuntimeError", "AnsibleTemplateError",
    "AnsibleUndefinedVariable",
)  # fmt: skip


@contextlib.contextmanager
def ansible_names() -> Iterator[None]:
    """While a plugin is imported, `ansible.errors` and the like can be imported, too.

    Where Ansible is installed, the plugin gets all of it but LookupBase: Ansible's own wants Ansible's loader.
    """
    modules = stand_ins()
    if importlib.util.find_spec("ansible") is not None:
        modules = {"ansible.plugins.lookup": modules["ansible.plugins.lookup"]}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def stand_ins() -> dict[str, ModuleType]:
    from opsplay.templating.texts import to_text

    def to_bytes(value: Any, encoding: str = "utf-8", errors: str | None = None, nonstring: str = "") -> bytes:
        return value if isinstance(value, bytes) else to_text(value).encode(encoding, "surrogateescape")

    def text(value: Any, encoding: str = "utf-8", errors: str | None = None, nonstring: str = "") -> str:
        return to_text(value)

    converters = {"to_text": text, "to_native": text, "to_bytes": to_bytes}
    base: type[Exception] = type("AnsibleError", (Exception,), {"__init__": _keep_message})
    errors = {name: base if name == "AnsibleError" else type(name, (base,), {}) for name in ERRORS}
    contents: dict[str, dict[str, Any]] = {
        "ansible": {"__path__": []},
        "ansible.errors": errors,
        "ansible.plugins": {"__path__": []},
        "ansible.plugins.lookup": {"LookupBase": LookupBase},
        "ansible.module_utils": {"__path__": []},
        "ansible.module_utils._text": converters,
        "ansible.module_utils.common": {"__path__": []},
        "ansible.module_utils.common.text": {"__path__": []},
        "ansible.module_utils.common.text.converters": converters,
        "ansible.module_utils.six": {"string_types": (str,), "text_type": str, "integer_types": (int,)},
        "ansible.utils": {"__path__": []},
        "ansible.utils.display": {"Display": Display},
    }
    return {name: _module(name, values) for name, values in contents.items()}


def _keep_message(self: Any, message: str = "", *_: Any, **__: Any) -> None:
    Exception.__init__(self, message)
    self.message = message


def _module(name: str, values: dict[str, Any]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(values)
    return module


class LookupBase:
    """What a lookup plugin is made from."""

    def __init__(self, loader: Any = None, templar: Any = None, **_: Any) -> None:
        self._loader = loader
        self._templar = templar
        self._options: dict[str, Any] = documented_defaults(sys.modules.get(type(self).__module__))

    def set_options(self, var_options: Any = None, direct: Any = None, **_: Any) -> None:
        self._options.update(direct or {})

    def get_option(self, name: str, hostvars: Any = None) -> Any:
        return self._options.get(name)

    def get_options(self, hostvars: Any = None) -> dict[str, Any]:
        return dict(self._options)

    def has_option(self, name: str) -> bool:
        return name in self._options

    def find_file_in_search_path(self, variables: Any, subdir: str, name: str, ignore_missing: bool = False) -> Any:
        return self._loader.find_file(subdir, name) if self._loader is not None else None

    @staticmethod
    def _flatten(terms: Any) -> list[Any]:
        return [item for term in terms for item in (term if isinstance(term, (list, tuple)) else [term])]


def documented_defaults(module: Any) -> dict[str, Any]:
    """The options that a plugin's DOCUMENTATION names, with their defaults."""
    text = getattr(module, "DOCUMENTATION", None)
    if not isinstance(text, str):
        return {}
    import yaml

    try:
        options = (yaml.safe_load(text) or {}).get("options") or {}
        return {name: (option or {}).get("default") for name, option in options.items()}
    except (yaml.YAMLError, AttributeError):
        return {}


class Display:
    """Swallows what plugins say for the screen."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
